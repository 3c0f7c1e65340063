import { Anchor } from '@mantine/core';
import { Link } from 'wouter';
import { placeOf } from './files/troubles';
import { segment } from './names';

/** An error in the gateway's words; where it names a line of a file, that leads there. */
export function ErrorText({ text }: { text: string }) {
  const place = placeOf(text);
  if (!place) {
    return text;
  }
  const { file, line } = place;
  return (
    <>
      <Anchor
        component={Link}
        href={`/gateway/files/${segment(file)}${line === null ? '' : `?line=${line}`}`}
        inherit
        c="inherit"
        underline="always"
      >
        {file}
        {line !== null && ` line ${line}`}
      </Anchor>
      : {place.text}
    </>
  );
}
