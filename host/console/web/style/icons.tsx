import type { IconName } from './icon-paths.ts';
import { ICON_PATHS } from './icon-paths.ts';

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.4 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      style={{ flex: 'none', display: 'block' }}
    >
      <path d={ICON_PATHS[name]} />
    </svg>
  );
}

/** The mark: a compass rose. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32" style={{ flex: 'none', display: 'block' }}>
      <path d="M16 2 19.2 12.8 30 16 19.2 19.2 16 30 12.8 19.2 2 16 12.8 12.8Z" style={{ fill: 'var(--accent)' }} />
      <path
        d="M16 2 19.2 12.8 16 16ZM30 16 19.2 19.2 16 16ZM16 30 12.8 19.2 16 16ZM2 16 12.8 12.8 16 16Z"
        style={{ fill: 'var(--paper)', opacity: 0.55 }}
      />
    </svg>
  );
}
