import { Kbd, Modal, Text, TextInput } from '@mantine/core';
import type { KeyboardEvent } from 'react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import type { Session } from '../client/types.ts';
import { useConsoleState } from '../state/context.tsx';
import { detach } from '../state/detach.ts';
import { Icon } from '../style/icons.tsx';
import { matchSessions, nameSession, orderSessions } from './order.ts';
import classes from './session-switcher.module.css';
import { StateDot } from './state-dot.tsx';

/** Rows drawn at once; typing narrows the rest. */
const SHOWN = 30;

/** Ctrl K: type a few letters, Enter. */
export function SessionSwitcher({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      withCloseButton={false}
      padding={0}
      radius="lg"
      yOffset="12dvh"
      overlayProps={{ backgroundOpacity: 0.25 }}
      aria-label="Find a chat"
    >
      {opened && <Finder onClose={onClose} />}
    </Modal>
  );
}

function Finder({ onClose }: { onClose: () => void }) {
  const byId = useConsoleState((state) => state.sessions.byId);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  // At once, before the dialog has faded in: the next keys are meant for it.
  useEffect(() => input.current?.focus(), []);
  const found = useMemo(() => matchSessions(orderSessions(byId.values()), query).slice(0, SHOWN), [byId, query]);
  const current = Math.min(at, found.length - 1);

  function open(session: Session | undefined) {
    if (session === undefined) return;
    onClose();
    detach(Promise.resolve(navigate(`/sessions/${session.id}`)));
  }

  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((current + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      event.preventDefault();
      open(found[current]);
    }
  }

  return (
    <>
      <TextInput
        ref={input}
        onKeyDown={onKeyDown}
        data-autofocus
        variant="unstyled"
        size="md"
        className={classes.input}
        leftSection={<Icon name="search" size={18} />}
        placeholder="Find a chat"
        aria-label="Find a chat"
        role="combobox"
        aria-expanded
        aria-controls="found-sessions"
        aria-activedescendant={found[current] === undefined ? undefined : `found-${found[current].id}`}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
      />
      <div id="found-sessions" role="listbox" aria-label="Chats" className={classes.list}>
        {found.map((session, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled by the input, which keeps the focus
          <div
            key={session.id}
            id={`found-${session.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            className={classes.option}
            onClick={() => open(session)}
            onPointerMove={() => setAt(index)}
          >
            <StateDot session={session} />
            <span className={classes.name}>{nameSession(session)}</span>
            <Text span size="xs" c="dimmed">
              {session.agentName}
            </Text>
          </div>
        ))}
        {found.length === 0 && (
          <Text size="sm" c="dimmed" p="md">
            No chat matches.
          </Text>
        )}
      </div>
      <div className={classes.keys}>
        <Kbd size="xs">↑</Kbd> <Kbd size="xs">↓</Kbd> choose · <Kbd size="xs">Enter</Kbd> open ·{' '}
        <Kbd size="xs">Esc</Kbd> close
      </div>
    </>
  );
}
