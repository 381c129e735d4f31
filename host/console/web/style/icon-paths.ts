/** The page's few icons, drawn on a 20 × 20 grid with the text's colour. Decoration only: the button carries the label. */
export const ICON_PATHS = {
  plus: 'M10 4v12M4 10h12',
  send: 'M10 16V4.5M5 9l5-5 5 5',
  attach: 'M14.8 9.2l-5.3 5.3a3.2 3.2 0 0 1-4.6-4.6l6-6a2.2 2.2 0 0 1 3.1 3.1l-5.9 5.9a1.1 1.1 0 0 1-1.6-1.6l5.2-5.2',
  back: 'M12 4.5 6.5 10l5.5 5.5',
  down: 'M10 4v11.5M5 11l5 5 5-5',
  close: 'M5 5l10 10M15 5 5 15',
  info: 'M10 9.2V14M10 6.3v.2M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0Z',
  search: 'M13.2 13.2 17 17M14.5 8.8a5.8 5.8 0 1 1-11.6 0 5.8 5.8 0 0 1 11.6 0Z',
  file: 'M11.5 2.8H6A1.5 1.5 0 0 0 4.5 4.3v11.4A1.5 1.5 0 0 0 6 17.2h8a1.5 1.5 0 0 0 1.5-1.5V6.8ZM11.5 2.8v4h4',
  copy: 'M7.5 7.5V4.5A1.2 1.2 0 0 1 8.7 3.3h6.8a1.2 1.2 0 0 1 1.2 1.2v6.8a1.2 1.2 0 0 1-1.2 1.2h-3M4.5 7.5h6.8a1.2 1.2 0 0 1 1.2 1.2v6.8a1.2 1.2 0 0 1-1.2 1.2H4.5a1.2 1.2 0 0 1-1.2-1.2V8.7a1.2 1.2 0 0 1 1.2-1.2Z',
  check: 'M4.5 10.5l3.7 3.7 7.3-8',
  checks: 'M2 10.5l3.7 3.7 7-8M9.5 13.2l1 1 7.3-8',
  clock: 'M10 6v4.2l2.6 1.6M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0Z',
  warning: 'M10 7.8v3.7M10 13.9v.1M10 3.3 17.3 16H2.7Z',
  arrow: 'M4 10h11.5M11 5.5l4.5 4.5-4.5 4.5',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  agent:
    'M10 3v2.5M5.5 5.5h9A1.5 1.5 0 0 1 16 7v7a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 4 14V7a1.5 1.5 0 0 1 1.5-1.5ZM7.5 9.7v1.6M12.5 9.7v1.6',
  settings: 'M4 6h7M15 6h1M4 14h1M9 14h7M11 6a2 2 0 1 0 4 0 2 2 0 0 0-4 0ZM5 14a2 2 0 1 0 4 0 2 2 0 0 0-4 0Z',
  reply: 'M8 5 3.5 9.5 8 14M3.5 9.5h8a5 5 0 0 1 5 5v.5',
} as const;

export type IconName = keyof typeof ICON_PATHS;
