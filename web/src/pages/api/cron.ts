/** Cron expressions in words, where they are simple. */

const MACROS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** When an expression of five fields runs. */
export function describeCron(expression: string): string {
  const trimmed = expression.trim();
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = (
    MACROS[trimmed] ?? trimmed
  ).split(/\s+/);
  const every = /^\*\/(\d+)$/;
  const restIsAny = day === '*' && month === '*' && weekday === '*';
  if (minute === '*' && hour === '*' && restIsAny) {
    return 'every minute';
  }
  const minutes = every.exec(minute);
  if (minutes && hour === '*' && restIsAny) {
    return `every ${minutes[1]} minutes`;
  }
  if (!/^\d+$/.test(minute)) {
    return 'as the expression says';
  }
  if (hour === '*' && restIsAny) {
    return minute === '0' ? 'every hour' : `every hour at minute ${minute}`;
  }
  const hours = every.exec(hour);
  if (hours && restIsAny) {
    return `every ${hours[1]} hours`;
  }
  if (!/^\d+$/.test(hour)) {
    return 'as the expression says';
  }
  const at = `at ${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (restIsAny) {
    return `every day ${at}`;
  }
  if (day === '*' && month === '*' && /^[0-6]$/.test(weekday)) {
    return `every ${DAYS[Number(weekday)]} ${at}`;
  }
  if (/^\d+$/.test(day) && month === '*' && weekday === '*') {
    return `on day ${day} of every month ${at}`;
  }
  return 'as the expression says';
}
