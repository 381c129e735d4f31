import { Button, Text, Title } from '@mantine/core';
import type { Me } from '../client/types.ts';
import { useMe } from '../sign-in/use-me.ts';
import { useConsoleState } from '../state/context.tsx';
import { Mark } from '../style/icons.tsx';
import { useAgents } from './new-chat-button.tsx';
import { useNewChat } from './use-new-chat.ts';
import classes from './welcome.module.css';

/** No agent is there, or none that this person may talk to. */
function describeNothing(me: Me | null): string {
  if (me?.may.manageAgents === true) return 'There is no agent yet: make one on the page Agents.';
  return `You are signed in as ${me?.userId ?? 'somebody'}, whom no agent knows yet. An admin can let you in.`;
}

/** The right side while no chat is chosen. */
export function Welcome() {
  const empty = useConsoleState((state) => state.sessions.load === 'ready' && state.sessions.byId.size === 0);
  const agents = useAgents();
  const me = useMe();
  const startChat = useNewChat();
  const list = agents.data?.items ?? [];
  return (
    <div className={classes.page}>
      <Mark size={52} />
      <Title order={2} size="h3">
        {empty ? 'Your first chat' : 'Choose a chat'}
      </Title>
      <Text c="dimmed" className={classes.text}>
        {list.length === 0 && agents.isSuccess
          ? describeNothing(me)
          : 'Each agent works in a container of its own and can reach only the destinations on its chart.'}
      </Text>
      <div className={classes.agents}>
        {list.slice(0, 6).map((agent) => (
          <Button key={agent.id} variant={empty ? 'filled' : 'default'} size="md" onClick={() => startChat(agent.id)}>
            Chat with {agent.name}
          </Button>
        ))}
      </div>
    </div>
  );
}
