import { useEffect, useState } from 'react';

/** How often times that count down are said anew. Higher: they lag. Lower: the page is drawn for nothing. */
const TICK_MS = 15_000;

/** The time, epoch ms; changes now and then. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
