/** The order of tokens: comparisons joined by `&&` and `||`, in parentheses where wanted. */

import type { Problem, Token } from './tokens';

/** What may come next at some place. */
export type Expectation = 'left' | 'operator' | 'right' | 'join';

interface State {
  expects: Expectation;
  /** What the right side is compared with. */
  left: Token | null;
  /** Open parentheses: of a group, or of a function's arguments with the state after them. */
  open: { token: Token; call: Expectation | null }[];
  problem: Problem | null;
}

/** The first thing that is wrong with the order of the tokens, if any. */
export function syntaxProblem(tokens: Token[]): Problem | null {
  const state = walk(tokens);
  if (state.problem) {
    return state.problem;
  }
  const last = tokens.at(-1);
  if (!last) {
    return null;
  }
  const [unclosed] = state.open.slice(-1);
  if (state.expects !== 'join' && !unclosed?.call) {
    return { from: last.from, to: last.to, message: MISSING[state.expects] };
  }
  return unclosed ? at(unclosed.token, 'This parenthesis is never closed.') : null;
}

const MISSING: Record<Exclude<Expectation, 'join'>, string> = {
  left: 'An expression must follow here.',
  operator: 'An operator such as = or ~ must follow here.',
  right: 'A value to compare with must follow here.',
};

/** What may follow these tokens, and the left side that a value would be compared with. */
export function expectation(tokens: Token[]): { expects: Expectation; left: Token | null } {
  const { expects, left } = walk(tokens);
  return { expects, left };
}

function walk(tokens: Token[]): State {
  const state: State = { expects: 'left', left: null, open: [], problem: null };
  for (const [index, token] of tokens.entries()) {
    const problem = step(state, token, tokens[index + 1]);
    if (problem) {
      state.problem ??= problem;
      break;
    }
  }
  return state;
}

function step(state: State, token: Token, next: Token | undefined): Problem | null {
  switch (token.kind) {
    case 'bad':
      return at(
        token,
        /^['"]/.test(token.text)
          ? 'This text is never closed.'
          : `“${token.text}” has no meaning here.`,
      );
    case 'open':
      return open(state, token);
    case 'close':
      return close(state, token);
    case 'comma':
      return state.open.at(-1)?.call ? null : at(token, 'A comma separates arguments alone.');
    case 'join':
      if (state.expects !== 'join') {
        return at(token, `${MISSING[state.expects].replace(' here', ` before ${token.text}`)}`);
      }
      state.expects = 'left';
      return null;
    case 'operator':
      if (state.expects !== 'operator') {
        return at(token, 'An operator stands between two values.');
      }
      state.expects = 'right';
      return null;
    default:
      return operand(state, token, next);
  }
}

function operand(state: State, token: Token, next: Token | undefined): Problem | null {
  if (state.open.at(-1)?.call) {
    return null;
  }
  if (state.expects === 'operator') {
    return at(token, 'An operator such as = or ~ is missing before this.');
  }
  if (state.expects === 'join') {
    return at(token, '&& or || is missing before this.');
  }
  const after: Expectation = state.expects === 'left' ? 'operator' : 'join';
  if (state.expects === 'left') {
    state.left = token;
  }
  const calls = token.kind === 'name' && next?.kind === 'open' && next.from === token.to;
  if (!calls) {
    state.expects = after;
  }
  return null;
}

function open(state: State, token: Token): Problem | null {
  const name = state.left;
  const calls = name !== null && name.to === token.from && state.expects !== 'operator';
  if (calls || state.expects === 'right') {
    state.open.push({ token, call: state.expects === 'left' ? 'operator' : 'join' });
    return null;
  }
  if (state.expects !== 'left') {
    return at(token, '&& or || is missing before this.');
  }
  state.open.push({ token, call: null });
  return null;
}

function close(state: State, token: Token): Problem | null {
  const opened = state.open.pop();
  if (!opened) {
    return at(token, 'There is no parenthesis to close.');
  }
  if (opened.call) {
    state.expects = opened.call;
    return null;
  }
  return state.expects === 'join' ? null : at(token, 'The expression before this is not complete.');
}

function at(token: Token, message: string): Problem {
  return { from: token.from, to: token.to, message };
}
