import { Input, Popover } from '@mantine/core';
import {
  type KeyboardEvent,
  type ReactNode,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { type Completion, complete, type Suggestion } from './complete';
import classes from './FilterInput.module.css';
import { Highlight } from './Highlight';
import { problems } from './problems';
import { Suggestions } from './Suggestions';
import type { Scope } from './scope';

interface FilterInputProps {
  label: ReactNode;
  /** Hides the label from sight where the place says it already. */
  hideLabel?: boolean;
  value: string;
  onChange: (value: string) => void;
  scope: Scope;
  /** What the server said of it. */
  error?: ReactNode;
  description?: ReactNode;
  placeholder?: string;
  /** One line, whose Enter calls this. */
  onEnter?: () => void;
  leftSection?: ReactNode;
  /** Whether it may be something else than an expression. */
  unchecked?: boolean;
}

const CLOSED: Completion = { from: 0, to: 0, suggestions: [] };

/** An expression of the filter language: coloured, checked, and completed while it is typed. */
export function FilterInput(props: FilterInputProps) {
  const { label, hideLabel = false, value, onChange, scope, error, description } = props;
  const input = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const [completion, setCompletion] = useState(CLOSED);
  const [active, setActive] = useState(-1);
  // What stands there from the beginning was finished elsewhere.
  const [wasLeft, setWasLeft] = useState(value !== '');
  const { unchecked = false } = props;
  const found = useMemo(() => (unchecked ? [] : problems(value, scope)), [unchecked, value, scope]);
  const { suggestions } = completion;
  const opened = suggestions.length > 0;
  // While somebody types, what is unfinished is not yet wrong.
  const own = wasLeft ? found[0]?.message : undefined;

  // Where the caret belongs once the text that was put in has been rendered.
  const caret = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (caret.current !== null) {
      input.current?.setSelectionRange(caret.current, caret.current);
      caret.current = null;
    }
  });

  const suggest = (text: string, cursor: number) => {
    const next = complete(text, cursor, scope);
    setCompletion(next);
    setActive(next.suggestions.length > 0 && next.to > next.from ? 0 : -1);
  };
  const close = () => setCompletion(CLOSED);

  const take = (suggestion: Suggestion) => {
    const text = value.slice(0, completion.from) + suggestion.text + value.slice(completion.to);
    const cursor = completion.from + suggestion.text.length;
    caret.current = cursor;
    onChange(text);
    input.current?.focus();
    if (suggestion.opens) {
      suggest(text, cursor);
    } else {
      close();
    }
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const chosen = suggestions[active];
    const takes = (event.key === 'Enter' || event.key === 'Tab') && opened && chosen;
    if (event.key === ' ' && event.ctrlKey) {
      suggest(value, event.currentTarget.selectionStart);
    } else if (opened && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((active + step + suggestions.length) % suggestions.length);
    } else if (takes && !event.shiftKey) {
      take(chosen);
    } else if (event.key === 'Escape' && opened) {
      close();
    } else if (event.key === 'Enter' && props.onEnter) {
      close();
      setWasLeft(true);
      props.onEnter();
    } else {
      return;
    }
    event.preventDefault();
  };

  return (
    <Input.Wrapper
      id={id}
      label={hideLabel ? undefined : label}
      description={description}
      error={own ?? error}
      className={classes.wrapper ?? ''}
    >
      <Popover
        opened={opened}
        position="bottom-start"
        width="target"
        offset={4}
        trapFocus={false}
        withRoles={false}
        returnFocus={false}
      >
        <Popover.Target>
          <div className={classes.frame} data-invalid={Boolean(error ?? own) || undefined}>
            {props.leftSection && <span className={classes.left}>{props.leftSection}</span>}
            <div className={classes.code}>
              <Highlight text={value} problem={wasLeft ? found[0] : undefined} />
              <textarea
                ref={input}
                id={id}
                className={classes.input}
                value={value}
                rows={1}
                placeholder={props.placeholder}
                spellCheck={false}
                autoCapitalize="off"
                autoComplete="off"
                aria-label={hideLabel && typeof label === 'string' ? label : undefined}
                aria-autocomplete="list"
                aria-haspopup="listbox"
                aria-controls={opened ? `${id}-list` : undefined}
                aria-activedescendant={opened && active >= 0 ? `${id}-${active}` : undefined}
                aria-invalid={Boolean(error ?? own) || undefined}
                data-mantine-stop-propagation={opened || undefined}
                onChange={(event) => {
                  const text = props.onEnter
                    ? event.currentTarget.value.replaceAll('\n', ' ')
                    : event.currentTarget.value;
                  setWasLeft(false);
                  onChange(text);
                  suggest(text, event.currentTarget.selectionStart);
                }}
                onKeyDown={onKeyDown}
                onFocus={() => setWasLeft(false)}
                onBlur={() => {
                  close();
                  setWasLeft(true);
                }}
              />
            </div>
          </div>
        </Popover.Target>
        <Popover.Dropdown p={4} role="presentation">
          <Suggestions id={id} suggestions={suggestions} active={active} onTake={take} />
        </Popover.Dropdown>
      </Popover>
    </Input.Wrapper>
  );
}
