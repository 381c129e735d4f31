import type { RuntimeLog } from '../../../host/runtime/ports.ts';

/** Keeps what was logged, for tests that ask. */
export function makeSilentLog(): RuntimeLog & { lines: { level: string; fields: object; message: string }[] } {
  const lines: { level: string; fields: object; message: string }[] = [];
  const keep = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
