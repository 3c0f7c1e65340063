import { useComputedColorScheme } from '@mantine/core';
import { mailDocument } from '@/pages/notifications/mail-document';
import classes from './HtmlPreview.module.css';

/**
 * HTML of unknown origin: shown without scripts, forms and anything remote. `onPaper` is for what is
 * meant to be read on white, as mails are.
 */
export function HtmlPreview(props: { title: string; html: string; onPaper?: boolean }) {
  const theme = useComputedColorScheme('light');
  const scheme = props.onPaper ? 'light' : theme;
  return (
    <iframe
      className={classes.frame}
      style={{ colorScheme: scheme }}
      data-on-paper={props.onPaper || undefined}
      title={props.title}
      sandbox=""
      srcDoc={mailDocument(props.html, scheme)}
    />
  );
}
