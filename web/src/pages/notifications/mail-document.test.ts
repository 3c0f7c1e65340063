import { expect, it } from 'vitest';
import { mailDocument } from './mail-document';

it('puts the policy before the message', () => {
  const document = mailDocument('<html><head><script src="https://x.example"></script></head>');
  expect(document.indexOf("default-src 'none'")).toBeGreaterThan(0);
  expect(document.indexOf("default-src 'none'")).toBeLessThan(document.indexOf('<script'));
});
