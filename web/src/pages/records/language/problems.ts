/** Everything that can be seen to be wrong before the server is asked. */

import { FUNCTIONS, nameProblem, type Scope } from './scope';
import { syntaxProblem } from './syntax';
import { type Problem, tokenize } from './tokens';

/** PocketBase's limit for filters. */
const MAX_LENGTH = 3500;

/** What is wrong with an expression: its order first, then its names. */
export function problems(text: string, scope: Scope): Problem[] {
  if (text.length > MAX_LENGTH) {
    return [{ from: MAX_LENGTH, to: text.length, message: `At most ${MAX_LENGTH} characters.` }];
  }
  const tokens = tokenize(text);
  const order = syntaxProblem(tokens);
  if (order) {
    return [order];
  }
  return tokens.flatMap((token, index) => {
    if (token.kind !== 'name') {
      return [];
    }
    const next = tokens[index + 1];
    const message =
      next?.kind === 'open' && next.from === token.to
        ? functionProblem(token.text)
        : nameProblem(token.text, scope);
    return message ? [{ from: token.from, to: token.to, message }] : [];
  });
}

function functionProblem(name: string): string | null {
  return FUNCTIONS.some(([known]) => known === `${name}(`) ? null : `There is no function ${name}.`;
}
