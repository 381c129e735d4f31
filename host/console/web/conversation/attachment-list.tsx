import type { Attachment } from '../client/types.ts';
import { Icon } from '../style/icons.tsx';
import { formatSize } from '../style/time.ts';
import classes from './attachment-list.module.css';

/** Types a browser draws without running anything of theirs; SVG can hold scripts. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);

export function isPicture(contentType: string): boolean {
  return PICTURES.has(contentType);
}

interface AttachmentListProps {
  attachments: readonly Attachment[];
  /** The host has its copies: what an agent sends is there once it is delivered. */
  ready: boolean;
}

export function AttachmentList({ attachments, ready }: AttachmentListProps) {
  if (attachments.length === 0) return null;
  return (
    <ul className={classes.list} aria-label="Attachments">
      {attachments.map((attachment) => (
        <li key={attachment.url}>{pick(attachment, ready)}</li>
      ))}
    </ul>
  );
}

function pick(attachment: Attachment, ready: boolean) {
  if (!attachment.isKept) return <ClosedFile attachment={attachment} note="no longer kept" />;
  if (!ready) return <ClosedFile attachment={attachment} title="It can be opened once it is delivered" />;
  return isPicture(attachment.contentType) ? <Picture attachment={attachment} /> : <FileLink attachment={attachment} />;
}

/** A file that cannot be opened, now or any more. */
function ClosedFile({ attachment, note, title }: { attachment: Attachment; note?: string; title?: string }) {
  return (
    <span className={classes.file} title={title}>
      <Icon name="file" />
      <span className={classes.name}>{attachment.name}</span>
      <span className={classes.size}>{note ?? formatSize(attachment.sizeBytes)}</span>
    </span>
  );
}

function Picture({ attachment }: { attachment: Attachment }) {
  const { url, name, sizeBytes } = attachment;
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener"
      className={classes.picture}
      title={`${name} · ${formatSize(sizeBytes)}`}
      aria-label={`Picture ${name}, ${formatSize(sizeBytes)}, opens in a new tab`}
    >
      <img src={url} alt={name} loading="lazy" decoding="async" />
    </a>
  );
}

function FileLink({ attachment }: { attachment: Attachment }) {
  const { url, name, sizeBytes } = attachment;
  return (
    <a href={url} download={name} className={classes.file} aria-label={`Download ${name}, ${formatSize(sizeBytes)}`}>
      <Icon name="file" />
      <span className={classes.name}>{name}</span>
      <span className={classes.size}>{formatSize(sizeBytes)}</span>
    </a>
  );
}
