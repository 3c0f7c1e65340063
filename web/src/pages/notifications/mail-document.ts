/** The document that a message's HTML is shown in. */

// In the frame's own document as well, so that a message loads nothing and tells nobody that it was
// read, whatever policy the page around it has.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'";

/**
 * Puts a policy that forbids everything remote before anything that the message says. Messages are
 * written for white paper; other texts are shown in the colours of the page around them.
 */
export function mailDocument(html: string, scheme: 'light' | 'dark' = 'light'): string {
  return [
    '<!doctype html>',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="referrer" content="no-referrer">',
    '<base target="_blank">',
    `<style>:root{color-scheme:${scheme}}body{font-family:system-ui,sans-serif;margin:16px;overflow-wrap:anywhere}</style>`,
    html,
  ].join('\n');
}
