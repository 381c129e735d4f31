import { ActionIcon, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import type { ComponentProps } from 'react';
import { useRef } from 'react';
import type { Components } from 'react-markdown';
import ReactMarkdown from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { Icon } from '../style/icons.tsx';
import classes from './markdown.module.css';

/** Raw HTML is left out by the parser; only web and mail addresses become links. */
export default function Markdown({ text }: { text: string }) {
  return (
    <div className={classes.markdown}>
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS} urlTransform={allowUrl}>
        {text}
      </ReactMarkdown>
    </div>
  );
}

const PLUGINS = [remarkGfm];

const COMPONENTS: Components = {
  a: ({ href, children }) => <OutsideLink href={href}>{children}</OutsideLink>,
  // Loading a picture tells its server who reads, and an agent could put what it knows into the address.
  img: ({ src, alt }) => <OutsideLink href={typeof src === 'string' ? src : undefined}>{alt || 'picture'}</OutsideLink>,
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }) => (
    <div className={classes.scroll}>
      <table>{children}</table>
    </div>
  ),
};

function OutsideLink({ href, children }: ComponentProps<'a'>) {
  if (href === undefined || href === '') return <span>{children}</span>;
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function allowUrl(url: string): string {
  return /^(https?:\/\/|mailto:)/i.test(url) ? url : '';
}

function CodeBlock({ children }: ComponentProps<'pre'>) {
  const block = useRef<HTMLPreElement>(null);
  return (
    <div className={classes.code}>
      <pre ref={block}>{children}</pre>
      <CopyCode read={() => block.current?.textContent ?? ''} />
    </div>
  );
}

function CopyCode({ read }: { read: () => string }) {
  const { copied, copy } = useClipboard({ timeout: 1500 });
  return (
    <Tooltip label={copied ? 'Copied' : 'Copy'} openDelay={300}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={30}
        className={classes.copy ?? ''}
        aria-label="Copy code"
        onClick={() => copy(read())}
      >
        <Icon name={copied ? 'check' : 'copy'} size={16} />
      </ActionIcon>
    </Tooltip>
  );
}
