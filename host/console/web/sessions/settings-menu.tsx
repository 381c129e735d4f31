import { ActionIcon, Menu, useMantineColorScheme } from '@mantine/core';
import { useState } from 'react';
import { logOut } from '../client/api.ts';
import { TurnedAwayDrawer } from '../details/turned-away.tsx';
import { useMe } from '../sign-in/use-me.ts';
import { useConsole } from '../state/context.tsx';
import { Icon } from '../style/icons.tsx';
import { useNotices } from '../style/notices.tsx';

const SCHEMES = [
  { value: 'auto', label: 'Colours of the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
] as const;

export function SettingsMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const console = useConsole();
  const notices = useNotices();
  const me = useMe();
  const [showsTurnedAway, setShowsTurnedAway] = useState(false);

  function signOut() {
    notices.attempt(async () => {
      await logOut();
      console.close();
      console.apply({ kind: 'connection', connection: { kind: 'signed-out' } });
    });
  }

  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={42} aria-label="Settings">
            <Icon name="settings" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {SCHEMES.map(({ value, label }) => (
            <Menu.Item
              key={value}
              onClick={() => setColorScheme(value)}
              rightSection={colorScheme === value ? <Icon name="check" size={16} /> : null}
            >
              {label}
            </Menu.Item>
          ))}
          <Menu.Divider />
          {me?.may.administer === true && (
            <>
              <Menu.Item onClick={() => setShowsTurnedAway(true)}>Refused and dropped</Menu.Item>
              <Menu.Divider />
            </>
          )}
          <Menu.Item onClick={signOut}>Sign out{me === null ? '' : ` ${me.name || me.userId}`}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <TurnedAwayDrawer opened={showsTurnedAway} onClose={() => setShowsTurnedAway(false)} />
    </>
  );
}
