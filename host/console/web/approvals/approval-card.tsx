import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { ApprovalBuild } from '../builds/approval-build.tsx';
import { fetchAgents } from '../client/api.ts';
import type { Approval } from '../client/types.ts';
import page from '../frame/page.module.css';
import { nameSession } from '../sessions/order.ts';
import { useMe } from '../sign-in/use-me.ts';
import { useConsoleState } from '../state/context.tsx';
import { formatFullTime } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import { plain, Words } from '../style/words.tsx';
import { describeApproval, describeVotes, mayBuild } from './approval.ts';
import classes from './approvals.module.css';
import { DecideForm } from './decide-form.tsx';

/** One decision: who asks and why, what approving does, and the buttons; once it is over, how it ended. */
export function ApprovalCard({ approval }: { approval: Approval }) {
  const now = useNow();
  const look = describeApproval(approval, now);
  const votes = describeVotes(approval, now);
  const isOpen = approval.state === 'pending';
  const { title, question, outcome } = approval;
  return (
    <article className={page.card} aria-label={plain(title)} data-approval={approval.id} data-state={approval.state}>
      <header className={classes.head}>
        <h3 className={classes.title}>
          <Words text={title} />
        </h3>
        <span className={classes.state} data-tone={look.tone}>
          {look.label}
        </span>
      </header>
      <Asker approval={approval} />
      {question.trim() !== title.trim() && (
        <p className={classes.text}>
          <Words text={question} />
        </p>
      )}
      <Consequence approval={approval} />
      <WholeRequest approval={approval} />
      {votes !== null && <p className={classes.text}>{votes}</p>}
      <p className={page.soft} title={formatFullTime(approval.decidedAt ?? approval.expiresAt)}>
        {look.sentence} · <code className={page.code}>{approval.code}</code>
      </p>
      {outcome !== null && (
        <p className={classes.outcome}>
          <Words text={outcome} />
        </p>
      )}
      {isOpen && <DecideForm approval={approval} isOver={approval.expiresAt <= now} />}
      {mayBuild(approval) && approval.agentId !== null && approval.decidedAt !== null && (
        <ApprovalBuild agentId={approval.agentId} approvalId={approval.id} isUnderWay={approval.state === 'approved'} />
      )}
    </article>
  );
}

/** The agent's words stand as a quotation: no agent speaks as the host. */
function Asker({ approval: { agentId, requester, reason } }: { approval: Approval }) {
  const agents = useQuery({ queryKey: ['agents'], queryFn: fetchAgents });
  const session = useConsoleState((state) => state.sessions.byId.get(requester?.sessionId ?? '') ?? null);
  const agent = agents.data?.items.find(({ id }) => id === agentId)?.name ?? requester?.agentName ?? 'An agent';
  if (requester === null || !requester.isAgent) return <p className={page.soft}>Portolan asks.</p>;
  return (
    <>
      <p className={page.soft}>
        {agent} asks in{' '}
        <Link className={page.link} to={`/sessions/${requester.sessionId}`}>
          {requester.chatName ?? (session === null ? 'a chat' : nameSession(session))}
        </Link>
        {reason === null ? '; it gives no reason.' : ', in its own words:'}
      </p>
      {reason !== null && <blockquote className={classes.quote}>{reason}</blockquote>}
    </>
  );
}

const CONSEQUENCE_HEADS: Readonly<Record<Approval['state'], string>> = {
  pending: 'If approved',
  approved: 'What is being done',
  applied: 'What was done',
  failed: 'What was to be done',
  rejected: 'What approving would have done',
  expired: 'What approving would have done',
  superseded: 'What approving would have done',
};

function Consequence({ approval: { consequence, state } }: { approval: Approval }) {
  if (consequence.length === 0) return null;
  return (
    <>
      <h4 className={classes.small}>{CONSEQUENCE_HEADS[state]}</h4>
      <ul className={page.lines}>
        {consequence.map((line) => (
          <li key={line}>
            <Words text={line} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** All of it, exactly; and in the ledger, for whoever sees that. */
function WholeRequest({ approval: { id, payload } }: { approval: Approval }) {
  const me = useMe();
  return (
    <details className={page.unfold}>
      <summary>The whole request</summary>
      <pre className={page.raw}>{JSON.stringify(payload, null, 2)}</pre>
      {me?.may.seeEverything === true && (
        <Link className={page.link} to={`/ledger?subject=${id}`}>
          All that happened to it
        </Link>
      )}
    </details>
  );
}
