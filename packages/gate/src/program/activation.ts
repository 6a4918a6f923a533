/**
 * Sockets that the service manager has opened (sd_listen_fds(3)): the first descriptor is 3, and names stand in
 * LISTEN_FDNAMES.
 * @module
 */

const FIRST = 3;

/** Descriptors by name; none, where they were opened for another process. */
export function activatedSockets(
  environment: NodeJS.ProcessEnv = process.env,
  pid = process.pid,
): ReadonlyMap<string, number> {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  if (LISTEN_PID !== String(pid)) return new Map();
  const names = (LISTEN_FDNAMES ?? '').split(':');
  const count = Math.min(Number(LISTEN_FDS) || 0, names.length);
  return new Map(names.slice(0, count).map((name, i) => [name, FIRST + i]));
}
