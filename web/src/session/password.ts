/** A hint at how long a password would resist guessing. The server decides what is accepted. */

/** The shortest password that the server accepts for an administrator. */
export const MIN_PASSWORD_LENGTH = 8;

export interface Strength {
  /** 0 to 4. */
  score: number;
  hint: string;
}

const HINTS = [
  'Too easy to guess',
  'Weak: make it longer',
  'Fair: a few more words would help',
  'Good',
  'Strong',
];

/** Rates a password by its length and variety, less for runs and repeats. */
export function passwordStrength(password: string): Strength {
  if (password.length < MIN_PASSWORD_LENGTH) {
    return { score: 0, hint: `At least ${MIN_PASSWORD_LENGTH} characters` };
  }
  let alphabet = 0;
  alphabet += /[a-z]/.test(password) ? 26 : 0;
  alphabet += /[A-Z]/.test(password) ? 26 : 0;
  alphabet += /[0-9]/.test(password) ? 10 : 0;
  alphabet += /[^A-Za-z0-9]/.test(password) ? 33 : 0;
  const bits = surprisingCharacters(password) * Math.log2(alphabet);
  const score = bits < 28 ? 0 : bits < 45 ? 1 : bits < 60 ? 2 : bits < 80 ? 3 : 4;
  return { score, hint: HINTS[score] ?? '' };
}

/** Characters that do not just repeat or continue the one before (`aaaa`, `1234`, `dcba`). */
function surprisingCharacters(password: string): number {
  let count = 0;
  for (let index = 0; index < password.length; index += 1) {
    const step = password.charCodeAt(index) - password.charCodeAt(index - 1);
    if (index === 0 || Math.abs(step) > 1) {
      count += 1;
    }
  }
  return count;
}
