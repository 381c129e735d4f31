import { TextInput } from '@mantine/core';
import { type Ref, useRef, useState } from 'react';
import type { ApiFault } from '../client/fault.ts';

/** As long as a name may be: the host says so too. */
const MAX_NAME = 64;

/** A name that is being filled in, and what the host said of it: which names are free is the host's to know. */
export function useName(first: string) {
  const [name, setName] = useState(first);
  const [refusal, setRefusal] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);

  function change(next: string) {
    setName(next);
    setRefusal(null);
  }

  /** Whether it is about the name, and stands at it from now on. */
  function placeFault({ code, message }: ApiFault): boolean {
    if (code !== 'name_refused') return false;
    setRefusal(message);
    // Read out with what is wrong about it, and ready to be typed anew.
    input.current?.select();
    return true;
  }

  return { name: name.trim(), field: { value: name, refusal, input, onChange: change }, placeFault };
}

interface NameFieldProps {
  value: string;
  refusal: string | null;
  input: Ref<HTMLInputElement>;
  onChange: (name: string) => void;
}

export function NameField({ value, refusal, input, onChange }: NameFieldProps) {
  return (
    <TextInput
      ref={input}
      label="Name"
      placeholder="researcher"
      required
      data-autofocus
      maxLength={MAX_NAME}
      spellCheck={false}
      value={value}
      error={refusal}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
