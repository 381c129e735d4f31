import { PasswordInput } from '@mantine/core';
import type { RefObject } from 'react';

interface SecretInputProps {
  label: string;
  description?: string;
  input: RefObject<HTMLInputElement | null>;
  onFilled: (isFilled: boolean) => void;
  /** The first field of a dialog. */
  isFirst?: boolean;
}

/**
 * What is typed stays in the field itself: it is in no state of the page, so nothing draws it, and `takeSecret`
 * leaves nothing behind. Browsers and their extensions are told not to keep it.
 */
export function SecretInput({ label, description, input, onFilled, isFirst = true }: SecretInputProps) {
  return (
    <PasswordInput
      ref={input}
      label={label}
      description={description}
      required
      data-autofocus={isFirst || undefined}
      autoComplete="new-password"
      spellCheck={false}
      data-1p-ignore
      data-lpignore="true"
      visibilityToggleButtonProps={{ 'aria-label': 'Show what is typed', tabIndex: 0 }}
      onChange={(event) => onFilled(event.currentTarget.value !== '')}
    />
  );
}

/** What was typed; the field is empty from then on. */
export function takeSecret(input: RefObject<HTMLInputElement | null>): string {
  const field = input.current;
  if (field === null) return '';
  const { value } = field;
  field.value = '';
  return value;
}
