import { Modal } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** Over the page, for one question; there as long as it is drawn. Then the focus goes back to where it was. */
export function Dialog({ title, onClose, children }: DialogProps) {
  useFocusBack();
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      // What is filled in would go with a click beside it, and a double click on what opens it would close it.
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': 'Close' }}
      overlayProps={{ backgroundOpacity: 0.25 }}
      styles={{ title: { fontWeight: 620 } }}
    >
      {children}
    </Modal>
  );
}

/** The dialog is taken off the page with the focus in it: whoever goes by keyboard stays where they were. */
function useFocusBack(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      requestAnimationFrame(() => {
        if (document.activeElement !== document.body) return;
        // What opened it may be gone with what was removed.
        const target =
          before instanceof HTMLElement && before.isConnected ? before : document.getElementById('content');
        target?.focus({ preventScroll: true });
      });
    },
    [before],
  );
}
