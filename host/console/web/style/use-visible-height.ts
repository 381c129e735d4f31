import { useEffect } from 'react';

/**
 * Sets `--visible-height` to what the keyboard of a phone leaves of the window. Only iOS needs it: there
 * the keyboard lies over the page, and `100dvh` would put the composer under it.
 */
export function useVisibleHeight(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (viewport === null) return;
    const measure = () => {
      // Zoomed in with two fingers, the visible part says nothing about the keyboard.
      if (viewport.scale > 1.01) return;
      document.documentElement.style.setProperty('--visible-height', `${viewport.height}px`);
      window.scrollTo(0, 0);
    };
    measure();
    viewport.addEventListener('resize', measure);
    return () => viewport.removeEventListener('resize', measure);
  }, []);
}
