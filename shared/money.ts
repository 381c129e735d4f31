/**
 * Money is a whole number of nano-dollars (10^-9 USD): a price per token is one too, so nothing is ever rounded but
 * what people read.
 */

export const NANOUSD_PER_USD = 1_000_000_000;
/** $9,000,000: the largest sum that a JavaScript number holds exactly. */
export const MAX_NANOUSD = 9_000_000 * NANOUSD_PER_USD;

const USD_SHAPE = /^\$?(\d{1,7})(?:\.(\d{1,9}))?$/;

/** "5", "$0.25", as nano-dollars; null when it is no amount of money of at most nine decimals. */
export function parseUsd(text: string): number | null {
  const match = USD_SHAPE.exec(text.trim());
  if (match === null) return null;
  const amount = Number(match[1]) * NANOUSD_PER_USD + Number((match[2] ?? '').padEnd(9, '0'));
  return amount <= MAX_NANOUSD ? amount : null;
}

/** For people: whole cents from a dollar up, four decimals below, and "<$0.0001" for what is less. */
export function formatUsd(nanousd: number): string {
  if (nanousd < 0) return `-${formatUsd(-nanousd)}`;
  if (nanousd > 0 && nanousd < 50_000) return '<$0.0001';
  const decimals = nanousd >= NANOUSD_PER_USD ? 2 : 4;
  const [whole = '0', part = ''] = (nanousd / NANOUSD_PER_USD).toFixed(decimals).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  // "$5", "$0.50", "$0.0032".
  const short = part.replace(/0+$/, '');
  return short === '' ? `$${grouped}` : `$${grouped}.${short.padEnd(2, '0')}`;
}

/** Exactly, as `parseUsd` reads it: for what people confirm or type again. */
export function formatUsdExactly(nanousd: number): string {
  const whole = Math.floor(nanousd / NANOUSD_PER_USD);
  const part = String(nanousd % NANOUSD_PER_USD)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return part === '' ? `$${whole}` : `$${whole}.${part.padEnd(2, '0')}`;
}
