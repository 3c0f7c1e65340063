import { mailDocument } from '@/pages/notifications/mail-document';
import classes from './HtmlPreview.module.css';

/** HTML of unknown origin: shown without scripts, forms and anything remote. */
export function HtmlPreview({ title, html }: { title: string; html: string }) {
  return <iframe className={classes.frame} title={title} sandbox="" srcDoc={mailDocument(html)} />;
}
