import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { fetchAgents } from '../client/api.ts';
import { Icon } from '../style/icons.tsx';
import { useNewChat } from './use-new-chat.ts';

export function useAgents() {
  return useQuery({ queryKey: ['agents'], queryFn: fetchAgents });
}

/** With one agent a click starts the chat; with more it asks which. */
export function NewChatButton() {
  const agents = useAgents().data?.items ?? [];
  const startChat = useNewChat();
  const only = agents.length === 1 ? agents[0] : undefined;

  const button = (
    <ActionIcon
      variant="filled"
      size={42}
      radius="xl"
      aria-label="New chat"
      disabled={agents.length === 0}
      onClick={only === undefined ? undefined : () => startChat(only.id)}
    >
      <Icon name="plus" />
    </ActionIcon>
  );
  if (only !== undefined || agents.length === 0) {
    return (
      <Tooltip label="New chat" openDelay={400}>
        {button}
      </Tooltip>
    );
  }
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>New chat with</Menu.Label>
        {agents.map((agent) => (
          <Menu.Item key={agent.id} onClick={() => startChat(agent.id)}>
            {agent.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
