import { ActionIcon, FileButton, Textarea, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { ClipboardEvent, KeyboardEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import type { Session } from '../client/types.ts';
import { useConsole, useDrafts } from '../state/context.tsx';
import { Icon } from '../style/icons.tsx';
import type { AttachedFiles } from './attach.tsx';
import { AttachedFileList } from './attached-file-list.tsx';
import classes from './composer.module.css';
import { explainFileLimit, explainTextLimit } from './limits.ts';

interface ComposerProps {
  sessionId: string;
  session: Session | null;
  attached: AttachedFiles;
}

export function Composer({ sessionId, session, attached }: ComposerProps) {
  if (session !== null && !session.writable) return <ReadOnly session={session} />;
  return <Writer sessionId={sessionId} agentName={session?.agentName ?? 'the agent'} attached={attached} />;
}

function Writer({ sessionId, agentName, attached }: { sessionId: string; agentName: string; attached: AttachedFiles }) {
  const console = useConsole();
  const drafts = useDrafts();
  const [text, setText] = useState(() => drafts.read(sessionId));
  const input = useRef<HTMLTextAreaElement>(null);
  const touch = useMediaQuery('(pointer: coarse) and (hover: none)', false, { getInitialValueInEffect: false });
  const problem = explainTextLimit(text) ?? explainFileLimit(attached.files);
  const canSend = problem === null && (text.trim() !== '' || attached.files.length > 0);

  useEffect(() => {
    // On a phone the keyboard would cover the conversation that was just opened: there the title gets the focus.
    const target = touch ? document.querySelector<HTMLElement>('[data-conversation-title]') : input.current;
    target?.focus();
  }, [touch]);

  function change(next: string) {
    setText(next);
    drafts.write(sessionId, next);
  }

  function send() {
    if (!canSend) return;
    // Half of a surrogate pair is no text that the host takes.
    console.send(sessionId, text.trim().toWellFormed(), attached.files);
    change('');
    attached.clear();
    input.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    // While a word is being composed, Enter belongs to the input method.
    if (event.nativeEvent.isComposing) return;
    // A phone's keyboard has no Shift Enter: there Enter is a new line, and the button sends.
    if (event.key === 'Enter' && !event.shiftKey && !touch) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape') {
      document.querySelector<HTMLElement>('a[data-session][aria-current]')?.focus();
    }
  }

  function onPaste(event: ClipboardEvent) {
    const files = [...event.clipboardData.files];
    if (files.length === 0) return;
    event.preventDefault();
    attached.add(files.map(nameClipboardFile));
  }

  return (
    <div className={classes.area}>
      <div className={classes.box} data-problem={problem !== null || undefined}>
        <AttachedFileList files={attached.files} onRemove={attached.removeAt} />
        <div className={classes.line}>
          <FileButton multiple onChange={(files) => attached.add(files)}>
            {(props) => (
              <Tooltip label="Attach files" openDelay={400}>
                <ActionIcon {...props} variant="subtle" color="gray" size={44} radius="xl" aria-label="Attach files">
                  <Icon name="attach" />
                </ActionIcon>
              </Tooltip>
            )}
          </FileButton>
          <Textarea
            ref={input}
            data-composer
            className={classes.text ?? ''}
            variant="unstyled"
            autosize
            minRows={1}
            maxRows={10}
            value={text}
            placeholder={`Write to ${agentName}`}
            aria-label={`Message to ${agentName}`}
            enterKeyHint={touch ? 'enter' : 'send'}
            onChange={(event) => change(event.currentTarget.value)}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
          />
          <ActionIcon
            variant="filled"
            size={touch ? 44 : 36}
            radius="xl"
            className={classes.send ?? ''}
            aria-label="Send"
            disabled={!canSend}
            onClick={send}
          >
            <Icon name="send" />
          </ActionIcon>
        </div>
      </div>
      <div
        className={classes.hint}
        role={problem === null ? undefined : 'alert'}
        data-problem={problem !== null || undefined}
      >
        {problem ?? (touch ? '' : 'Enter sends · Shift Enter makes a new line · Ctrl K finds a chat')}
      </div>
    </div>
  );
}

/** Pasted pictures are all called image.png; two of them in one message would clash. */
function nameClipboardFile(file: File): File {
  if (file.name !== 'image.png') return file;
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-').slice(0, 23);
  return new File([file], `pasted-${stamp}.png`, { type: file.type });
}

function ReadOnly({ session }: { session: Session }) {
  const where = session.channelType === null ? 'between agents' : `on ${session.channelType}`;
  return (
    <div className={classes.area}>
      <p className={classes.readOnly}>
        This conversation takes place {where}. It can be read here, and answered there.
      </p>
    </div>
  );
}
