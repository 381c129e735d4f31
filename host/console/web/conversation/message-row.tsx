import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { memo, useEffect, useState } from 'react';
import { dropMessage, resendMessage } from '../client/api.ts';
import type { Message } from '../client/types.ts';
import { administers, useMe } from '../sign-in/use-me.ts';
import { useConsole, useConsoleState } from '../state/context.tsx';
import { Icon } from '../style/icons.tsx';
import { useNotices } from '../style/notices.tsx';
import { formatClock, formatFullTime } from '../style/time.ts';
import { MessageUsageLine } from '../usage/message-usage.tsx';
import { AttachmentList } from './attachment-list.tsx';
import { describeDelivery } from './delivery.ts';
import classes from './message.module.css';
import { MessageBody } from './message-body.tsx';
import { QuestionCard } from './question-card.tsx';
import { isFromAgent } from './timeline.ts';

interface MessageRowProps {
  message: Message;
  mine: boolean;
  /** Local name of the destination, when it is another one than this chat. */
  elsewhere: string | null;
  startsGroup: boolean;
  /** The newest of my messages spells its state out; the others show a mark. */
  latestMine: boolean;
  onDetails: (messageId: string) => void;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, mine, elsewhere, startsGroup, onDetails } = props;
  if (message.kind !== 'chat') return <Notice message={message} onDetails={onDetails} />;
  return (
    <article
      className={classes.row}
      data-message={message.id}
      data-mine={mine || undefined}
      data-elsewhere={elsewhere !== null || undefined}
      data-starts={startsGroup || undefined}
      aria-label={`${mine ? 'You' : message.author.name || message.author.id || 'Somebody'}, ${formatClock(message.createdAt)}`}
    >
      {startsGroup && (
        <div className={classes.heading}>
          {!mine && <span className={classes.author}>{message.author.name || message.author.id}</span>}
          {isFromAgent(message) && <span className={classes.agent}>agent</span>}
          {elsewhere !== null && (
            <span className={classes.elsewhere}>
              <Icon name="arrow" size={14} />
              {elsewhere}
            </span>
          )}
          <Time message={message} />
        </div>
      )}
      <div className={classes.line}>
        <div className={classes.bubble}>
          <Content message={message} />
          <AttachmentList
            attachments={message.attachments}
            ready={message.direction === 'in' || message.state === 'delivered'}
          />
          {message.reactions.length > 0 && <Reactions message={message} />}
        </div>
        <Tooltip label={`${formatFullTime(message.createdAt)} · details`} openDelay={500}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={32}
            className={classes.more ?? ''}
            aria-label="Message details"
            onClick={() => onDetails(message.id)}
          >
            <Icon name="more" size={18} />
          </ActionIcon>
        </Tooltip>
      </div>
      <Footer {...props} />
    </article>
  );
});

function Content({ message }: { message: Message }) {
  if (message.question !== null) return <QuestionCard message={message} question={message.question} />;
  // Whoever typed it meant it as it stands.
  const isFromPerson = message.direction === 'in' && !isFromAgent(message);
  return message.text === '' ? null : <MessageBody text={message.text} plain={isFromPerson} />;
}

function Time({ message }: { message: Message }) {
  const full = formatFullTime(message.createdAt);
  return (
    <time className={classes.time} dateTime={new Date(message.createdAt).toISOString()} title={full}>
      {formatClock(message.createdAt)}
    </time>
  );
}

function Footer({ message, mine, latestMine, onDetails }: MessageRowProps) {
  const underWay = message.direction === 'out' && (message.state === 'queued' || message.state === 'sending');
  const late = useIsLate(underWay && message.stateReason === null);
  const look = late ? describeDelivery(message) : null;
  const edited = message.editedAt === null ? null : `Edited ${formatFullTime(message.editedAt)}`;
  const { usage } = message;
  if (look === null && edited === null && usage === null) return null;
  const spelled = look !== null && (look.loud || latestMine);
  return (
    <div className={classes.footer}>
      {usage !== null && <MessageUsageLine usage={usage} onDetails={() => onDetails(message.id)} />}
      {edited !== null && <span title={edited}>edited</span>}
      {look !== null && (mine || look.loud || message.direction === 'out') && (
        <span className={classes.state} data-tone={look.tone} title={message.stateReason ?? look.label}>
          <Icon name={look.icon} size={14} />
          <span className={spelled ? classes.reason : classes.hidden}>
            {look.label}
            {look.loud && message.stateReason !== null && `: ${message.stateReason}`}
          </span>
        </span>
      )}
      {look?.canSettle === true && <Settle message={message} />}
    </div>
  );
}

/** A delivery under way is worth a word only when it takes this long. */
const LATE_MS = 1_500;

/** False for a while after `wait` became true; always true without it. */
function useIsLate(wait: boolean): boolean {
  const [late, setLate] = useState(!wait);
  useEffect(() => {
    if (!wait) {
      setLate(true);
      return;
    }
    setLate(false);
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, [wait]);
  return late;
}

/** A delivery that failed, or of which nobody knows: a person decides. */
function Settle({ message }: { message: Message }) {
  const console = useConsole();
  const notices = useNotices();
  const agentId = useConsoleState((state) => state.sessions.byId.get(message.sessionId)?.agentId ?? null);
  const isAdmin = administers(useMe(), agentId);
  if (!isAdmin) return null;
  const settle = (work: (id: string) => Promise<Message>) =>
    notices.attempt(async () => console.apply({ kind: 'messages', messages: [await work(message.id)] }));
  return (
    <span className={classes.settle}>
      <Button size="compact-xs" variant="default" onClick={() => settle(resendMessage)}>
        Resend
      </Button>
      <Button size="compact-xs" variant="subtle" color="gray" onClick={() => settle(dropMessage)}>
        Drop
      </Button>
    </span>
  );
}

function Reactions({ message }: { message: Message }) {
  return (
    <ul className={classes.reactions} aria-label="Reactions">
      {message.reactions.map(({ emoji, by }) => (
        <li key={`${emoji} ${by}`} title={by}>
          {emoji}
        </li>
      ))}
    </ul>
  );
}

/** What is not said by anybody: a timer that came due, a note of the host. */
function Notice({ message, onDetails }: { message: Message; onDetails: (messageId: string) => void }) {
  return (
    <article className={classes.notice} data-message={message.id} data-kind={message.kind}>
      <Icon name={message.kind === 'task' ? 'clock' : 'info'} size={15} />
      <div className={classes.noticeText}>
        {message.kind === 'task' ? (
          <MessageBody text={`Timer: ${message.text}`} plain={true} />
        ) : (
          <MessageBody text={message.text} plain={false} />
        )}
      </div>
      <button type="button" className={classes.noticeTime} title="Details" onClick={() => onDetails(message.id)}>
        {formatClock(message.createdAt)}
      </button>
    </article>
  );
}
