import { useEffect, useRef } from 'react';
import type { Suggestion } from './complete';
import classes from './FilterInput.module.css';

interface SuggestionsProps {
  id: string;
  suggestions: Suggestion[];
  active: number;
  onTake: (suggestion: Suggestion) => void;
}

/** What can be put in; the input keeps the focus and says which one is chosen. */
export function Suggestions({ id, suggestions, active, onTake }: SuggestionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[Math.max(active, 0)]?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div
      ref={list}
      id={`${id}-list`}
      role="listbox"
      aria-label="Suggestions"
      className={classes.list}
    >
      {suggestions.map((suggestion, index) => (
        // The keyboard chooses from within the input.
        <div
          key={suggestion.text}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          className={classes.option}
          onMouseDown={(event) => {
            event.preventDefault();
            onTake(suggestion);
          }}
        >
          <span className={classes.text}>{suggestion.text}</span>
          <span className={classes.detail}>{suggestion.detail}</span>
        </div>
      ))}
    </div>
  );
}
