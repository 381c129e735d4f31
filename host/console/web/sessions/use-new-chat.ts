import { useNavigate } from 'react-router';
import { createSession } from '../client/api.ts';
import { useConsole } from '../state/context.tsx';
import { useNotices } from '../style/notices.tsx';

/** Starts a chat with an agent and goes there. */
export function useNewChat(): (agentId: string) => void {
  const console = useConsole();
  const notices = useNotices();
  const navigate = useNavigate();
  return (agentId) =>
    notices.attempt(async () => {
      const session = await createSession(agentId);
      console.apply({ kind: 'session', session });
      await navigate(`/sessions/${session.id}`);
    });
}
