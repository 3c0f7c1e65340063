import classes from './FilterInput.module.css';
import { type Problem, pieces } from './tokens';

/** The coloured text that lies under the input; its problem is underlined. */
export function Highlight({ text, problem }: { text: string; problem: Problem | undefined }) {
  let at = 0;
  const parts = pieces(text).map((piece) => {
    const from = at;
    at += piece.text.length;
    return { ...piece, from };
  });
  return (
    <pre aria-hidden className={classes.under}>
      {parts.map(({ from, text: part, kind }) => (
        <span
          key={from}
          data-kind={nameKind(kind, part)}
          data-wrong={
            (problem && from < problem.to && problem.from < from + part.length) || undefined
          }
        >
          {part}
        </span>
      ))}
      {'\n'}
    </pre>
  );
}

function nameKind(kind: string, part: string): string {
  return kind === 'name' && part.startsWith('@') ? 'special' : kind;
}
