/** Properties of an input that takes code: every character counts, so it has a fixed width. */
export const CODE_INPUT = {
  spellCheck: false,
  styles: { input: { fontFamily: 'var(--mantine-font-family-monospace)' } },
};
