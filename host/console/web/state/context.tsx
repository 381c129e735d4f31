import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Console } from './console.ts';
import type { Drafts } from './drafts.ts';
import type { Left } from './handover.ts';
import type { ConsoleState } from './state.ts';

export interface Parts {
  console: Console;
  drafts: Drafts;
  /** What a person leaves in this browser. */
  left: Left;
}

const PartsContext = createContext<Parts | null>(null);
export const PartsProvider = PartsContext.Provider;

function useParts(): Parts {
  const parts = useContext(PartsContext);
  if (parts === null) throw new Error('PartsProvider is missing');
  return parts;
}

export function useConsole(): Console {
  return useParts().console;
}

export function useLeft(): Left {
  return useParts().left;
}

export function useDrafts(): Drafts {
  return useParts().drafts;
}

/** Part of the state; `select` must return the same object while nothing changed. */
export function useConsoleState<T>(select: (state: ConsoleState) => T): T {
  const { subscribe, getState } = useConsole();
  return useSyncExternalStore(subscribe, () => select(getState()));
}
