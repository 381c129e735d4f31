import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import { answerMessage } from '../client/api.ts';
import { describeProblem } from '../client/fault.ts';
import type { Message, Question } from '../client/types.ts';
import { useMe } from '../sign-in/use-me.ts';
import { useConsole } from '../state/context.tsx';
import { detach } from '../state/detach.ts';
import { Icon } from '../style/icons.tsx';
import { formatFullTime } from '../style/time.ts';
import { plain, Words } from '../style/words.tsx';
import { MessageBody } from './message-body.tsx';
import { describeAsker, describeQuestion } from './question.ts';
import classes from './question-card.module.css';

/** A question with its options as buttons; once it is over, who chose what and when. */
export function QuestionCard({ message, question }: { message: Message; question: Question }) {
  const asker = describeAsker(question, message.author.name);
  const console = useConsole();
  const me = useMe();
  /** What was clicked here and is not answered by the host yet. */
  const [sending, setSending] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const look = describeQuestion(question, useNow(question.state === 'pending' ? question.expiresAt : null));
  const choose = async (option: string) => {
    setSending(option);
    setProblem(null);
    try {
      console.apply({ kind: 'messages', messages: [await answerMessage(message.id, option)] });
    } catch (error) {
      const { message, hostAway } = describeProblem(error);
      setProblem(hostAway ? `${message}. Choose again when the connection is back.` : message);
    } finally {
      setSending(null);
    }
  };
  const chosen = question.answer ?? sending;
  return (
    <section
      className={classes.card}
      aria-label={`${asker.words}: ${asker.isHost ? plain(question.title) : question.title}`}
      data-state={look.isOpen ? 'open' : question.state}
      data-host={asker.isHost || undefined}
    >
      <p className={classes.asker}>{asker.words}</p>
      <h3 className={classes.title}>{asker.isHost ? <Words text={question.title} /> : question.title}</h3>
      {look.body !== null && <MessageBody text={look.body} plain={false} />}
      <ul className={classes.options}>
        {question.options.map((option) => (
          <li key={option}>
            <button
              type="button"
              className={classes.option}
              disabled={!look.isOpen || sending !== null}
              data-chosen={option === chosen || undefined}
              aria-pressed={option === chosen}
              onClick={() => detach(choose(option))}
            >
              {option === chosen && <Icon name="check" size={16} />}
              {option}
            </button>
          </li>
        ))}
      </ul>
      <p className={classes.status} role="status" title={look.at === null ? undefined : formatFullTime(look.at)}>
        {look.status}
        {asker.isHost && me?.may.administer === true && (
          <>
            {' '}
            <Link to="/approvals" className={classes.more}>
              All approvals
            </Link>
          </>
        )}
      </p>
      {question.outcome !== null && (
        <p className={classes.outcome}>
          <Words text={question.outcome} />
        </p>
      )}
      {problem !== null && look.isOpen && (
        <p className={classes.problem} role="alert">
          <Icon name="warning" size={15} /> {problem}
        </p>
      )}
    </section>
  );
}

/** setTimeout counts in 32 bits; the longest question waits a week. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The time, which changes once when `until` has passed; null: nothing to wait for. */
function useNow(until: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (until === null || until <= Date.now()) return;
    const timer = setTimeout(() => setNow(Date.now()), Math.min(until - Date.now(), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  }, [until]);
  return now;
}
