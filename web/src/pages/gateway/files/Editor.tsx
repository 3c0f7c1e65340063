import { Text } from '@mantine/core';
import { type KeyboardEvent, memo, type Ref, useId, useImperativeHandle, useRef } from 'react';
import classes from './Editor.module.css';
import { type Format, indented, lineRange, nextIndent, pieces } from './text';

/** Longer texts are not coloured, so that typing stays quick. */
const MOST_COLOURED = 200_000;

export interface EditorHandle {
  /** Puts the cursor on a line. */
  goTo: (line: number) => void;
}

interface EditorProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  format: Format;
  /** The lines that are wrong, from 1. */
  wrongLines: ReadonlySet<number>;
  /** What Ctrl+S does. */
  onSave: () => void;
  ref: Ref<EditorHandle>;
}

/** A text with line numbers and colours. Escape lets Tab leave it. */
export function Editor({ label, value, onChange, format, wrongLines, onSave, ref }: EditorProps) {
  const input = useRef<HTMLTextAreaElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const leaves = useRef(false);
  const help = useId();
  const lines = value.split('\n');
  const coloured = value.length <= MOST_COLOURED;

  useImperativeHandle(
    ref,
    () => ({
      goTo: (line) => {
        const node = input.current;
        if (node && frame.current) {
          const height = Number.parseFloat(getComputedStyle(node).lineHeight);
          node.focus({ preventScroll: true });
          node.setSelectionRange(...lineRange(node.value, line));
          frame.current.scrollTop = (line - 1) * height - frame.current.clientHeight / 3;
          frame.current.scrollIntoView({ block: 'nearest' });
        }
      },
    }),
    [],
  );

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const node = event.currentTarget;
    const { selectionStart: start, selectionEnd: end } = node;
    if (event.key === 's' && (event.ctrlKey || event.metaKey) && !event.altKey) {
      onSave();
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      insert(`\n${nextIndent(value.slice(0, start), format)}`);
    } else if (event.key === 'Tab' && !leaves.current) {
      indent(node, event.shiftKey);
    } else {
      leaves.current = event.key === 'Escape' || (leaves.current && event.key === 'Shift');
      return;
    }
    leaves.current = false;
    event.preventDefault();

    function indent(area: HTMLTextAreaElement, out: boolean) {
      if (!out && start === end) {
        insert('  ');
        return;
      }
      const from = value.lastIndexOf('\n', start - 1) + 1;
      const moved = indented(value.slice(from, end), out);
      area.setSelectionRange(from, end);
      insert(moved);
      area.setSelectionRange(from, from + moved.length);
    }
  };

  return (
    <>
      <div ref={frame} className={classes.frame} data-invalid={wrongLines.size > 0 || undefined}>
        <div className={classes.numbers} aria-hidden>
          {lines.map((_, index) => (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: a line's number is what it is
              key={index}
              data-wrong={wrongLines.has(index + 1) || undefined}
            >
              {index + 1}
            </span>
          ))}
        </div>
        <div className={classes.code}>
          <pre className={classes.under} aria-hidden>
            {lines.map((line, index) => (
              <Line
                // biome-ignore lint/suspicious/noArrayIndexKey: a line's number is what it is
                key={index}
                text={line}
                format={coloured ? format : null}
                isWrong={wrongLines.has(index + 1)}
              />
            ))}
          </pre>
          <textarea
            ref={input}
            className={classes.input}
            aria-label={label}
            aria-describedby={help}
            aria-invalid={wrongLines.size > 0 || undefined}
            value={value}
            wrap="off"
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            autoCorrect="off"
            onChange={(event) => onChange(event.currentTarget.value)}
            onKeyDown={onKeyDown}
            onBlur={() => {
              leaves.current = false;
            }}
          />
        </div>
      </div>
      <Text id={help} size="xs" c="dimmed">
        Tab indents; Escape and then Tab leaves the text. Ctrl+S applies it.
      </Text>
    </>
  );
}

/** Types a text where the cursor is. The browser's own command alone can be undone. */
function insert(text: string): void {
  document.execCommand('insertText', false, text);
}

interface LineProps {
  text: string;
  format: Format | null;
  isWrong: boolean;
}

const Line = memo(function Line({ text, format, isWrong }: LineProps) {
  let at = 0;
  return (
    <span className={classes.line} data-wrong={isWrong || undefined}>
      {format
        ? pieces(text, format).map(({ kind, text: part }) => {
            const key = at;
            at += part.length;
            return (
              <span key={key} data-kind={kind}>
                {part}
              </span>
            );
          })
        : text}
      {'\n'}
    </span>
  );
});
