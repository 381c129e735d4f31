import { ActionIcon } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Icon } from '../style/icons.tsx';
import { formatSize } from '../style/time.ts';
import { isPicture } from './attachment-list.tsx';
import classes from './composer.module.css';

interface AttachedFileListProps {
  files: readonly File[];
  onRemove: (index: number) => void;
}

export function AttachedFileList({ files, onRemove }: AttachedFileListProps) {
  if (files.length === 0) return null;
  return (
    <ul className={classes.files} aria-label="Files to send">
      {files.map((file, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same file may be attached twice
        <li key={`${file.name} ${index}`} className={classes.file}>
          {isPicture(file.type) ? <Preview file={file} /> : <Icon name="file" />}
          <span className={classes.fileName}>{file.name}</span>
          <span className={classes.fileSize}>{formatSize(file.size)}</span>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={32}
            aria-label={`Remove ${file.name}`}
            onClick={() => onRemove(index)}
          >
            <Icon name="close" size={16} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}

function Preview({ file }: { file: File }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url === null ? <Icon name="file" /> : <img className={classes.preview} src={url} alt="" />;
}
