import { useCallback, useEffect, useRef } from 'react';

/** Nearer to the end than this counts as being at it. */
export const BOTTOM_PX = 60;

/** How far below the top of the scroller the line is that a reader's eyes are taken to be on. */
const EYES_PX = 120;

/**
 * Keeps the text that is being read where it is while messages, pictures or the typing mark change the
 * height below it. The browsers' own scroll anchoring does this only sometimes, Safari's never.
 * Returns the function to call on every scroll.
 */
export function useKeepPlace(
  scroller: { current: HTMLElement | null },
  column: { current: HTMLElement | null },
): () => void {
  const place = useRef<{ element: Element; top: number } | null>(null);

  const notePlace = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const box = element.getBoundingClientRect();
    const atBottom = -element.scrollTop < BOTTOM_PX;
    const under = atBottom ? null : document.elementFromPoint(box.left + box.width / 2, box.top + EYES_PX);
    const message = under?.closest('[data-message]') ?? null;
    place.current = message === null ? null : { element: message, top: message.getBoundingClientRect().top };
  }, [scroller]);

  useEffect(() => {
    const element = scroller.current;
    if (element === null || column.current === null) return;
    // Runs after layout and before drawing: the correction is never seen.
    const observer = new ResizeObserver(() => {
      const kept = place.current;
      if (kept?.element.isConnected) element.scrollTop += kept.element.getBoundingClientRect().top - kept.top;
      notePlace();
    });
    observer.observe(column.current);
    return () => observer.disconnect();
  }, [scroller, column, notePlace]);

  return notePlace;
}
