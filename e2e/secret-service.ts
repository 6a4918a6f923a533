/**
 * A session bus with a real Secret Service on it, GNOME Keyring's, unlocked and without a desktop.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Session extends AsyncDisposable {
  readonly home: string;
  /** What a program of this session has in its environment. */
  readonly env: NodeJS.ProcessEnv;
}

/** An empty line is the keyring's password. */
const UNLOCK = "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null || exit 1";
/** Says where the session's bus is, and goes on until its input ends. */
const SERVE = 'echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat';

/**
 * @param home folder of the session's user, where the keyring is kept
 * @param unlocked or else the keyring is started when it is first asked for, and nobody unlocks it
 */
export async function startSession(home: string, { unlocked = true } = {}): Promise<Session> {
  const runtime = join(home, 'runtime');
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_RUNTIME_DIR: runtime };
  delete env.XDG_DATA_HOME;
  const child = spawn('dbus-run-session', ['--', 'sh', '-c', unlocked ? `${UNLOCK}; ${SERVE}` : SERVE], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const address = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => line as string),
    ended.then(([code]) => Promise.reject(new Error(`no session with a keyring: it ended with ${code}`))),
  ]);
  return {
    home,
    env: { HOME: home, XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: address },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The environment of a machine without a desktop: no bus, no keyring. */
export function headless(home: string): NodeJS.ProcessEnv {
  return { HOME: home, XDG_RUNTIME_DIR: join(home, 'none'), DBUS_SESSION_BUS_ADDRESS: undefined };
}
