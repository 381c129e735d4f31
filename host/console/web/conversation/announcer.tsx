import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { Message } from '../client/types.ts';

/** Longest text read out; the message itself is there to be read. */
const SPOKEN_CHARS = 300;

/** Tells screen readers of what arrives while the conversation is open; not of its history. */
export function Announcer({ messages, ready }: { messages: readonly Message[]; ready: boolean }) {
  const lastPosition = useRef<number | null>(null);
  const [spoken, setSpoken] = useState('');

  useEffect(() => {
    if (!ready) return;
    const last = messages.at(-1);
    const before = lastPosition.current;
    lastPosition.current = last?.position ?? 0;
    if (before === null || last === undefined || last.position <= before || last.direction !== 'out') return;
    setSpoken(`${last.author.name}: ${last.text.slice(0, SPOKEN_CHARS) || 'sent a file'}`);
  }, [messages, ready]);

  return <VisuallyHidden aria-live="polite">{spoken}</VisuallyHidden>;
}
