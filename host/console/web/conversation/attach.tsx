import type { DragEvent, ReactNode } from 'react';
import { useCallback, useEffect, useRef, useState } from 'react';
import classes from './composer.module.css';

export interface AttachedFiles {
  files: readonly File[];
  add: (files: readonly File[]) => void;
  removeAt: (index: number) => void;
  clear: () => void;
}

/** Files chosen but not sent, per session. Browsers cannot keep them over a reload; the draft's text is. */
const kept = new Map<string, readonly File[]>();

export function useAttachedFiles(sessionId: string): AttachedFiles {
  const [files, setFiles] = useState(() => kept.get(sessionId) ?? []);
  useEffect(() => {
    if (files.length === 0) kept.delete(sessionId);
    else kept.set(sessionId, files);
  }, [sessionId, files]);
  return {
    files,
    add: useCallback((more) => setFiles((all) => [...all, ...more]), []),
    removeAt: useCallback((index) => setFiles((all) => all.filter((_, at) => at !== index)), []),
    clear: useCallback(() => setFiles([]), []),
  };
}

interface FileDropZoneProps {
  enabled: boolean;
  onFiles: (files: readonly File[]) => void;
  children: ReactNode;
}

/** The whole conversation takes dropped files. */
export function FileDropZone({ enabled, onFiles, children }: FileDropZoneProps) {
  // Enter and leave come in pairs for every element that is crossed.
  const depth = useRef(0);
  const [over, setOver] = useState(false);

  function track(event: DragEvent, step: 1 | -1) {
    if (!enabled || !event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    depth.current = Math.max(0, depth.current + step);
    setOver(depth.current > 0);
  }

  function drop(event: DragEvent) {
    if (!event.dataTransfer.types.includes('Files')) return;
    // Without this the browser would leave the page and open the file.
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    if (enabled) onFiles([...event.dataTransfer.files]);
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the attach button is for keyboards
    <div
      role="presentation"
      className={classes.dropZone}
      onDragEnter={(event) => track(event, 1)}
      onDragLeave={(event) => track(event, -1)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
      {children}
      {over && <div className={classes.dropHint}>Drop files to attach them</div>}
    </div>
  );
}
