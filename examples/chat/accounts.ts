/**
 * The chat's own users: an e-mail address, a password, and the link by which a device of theirs may come before
 * the door of their account. The password opens nothing but the way to that door.
 * @module
 */
import { argon2, getRandomValues, randomBytes, timingSafeEqual } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';

const derive = promisify(argon2);
/** OWASP's least: 19 MiB, two passes, one lane. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const MIN_PASSWORD = 8;
const SESSION_SECONDS = 86_400;
/** Wrong passwords after which an address is refused for a while. */
const TRIES = 10;
const PAUSE_SECONDS = 900;

export interface User {
  readonly email: string;
  /** Absent until the first browser has made the account. */
  readonly link: string | undefined;
}

export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class Users {
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  readonly #failures = new Map<string, { count: number; until: number }>();

  constructor(path: string, now: () => number) {
    this.#database = new DatabaseSync(path);
    this.#now = now;
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS users (
        email TEXT PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT NULL, link TEXT
      ) STRICT;
      CREATE TABLE IF NOT EXISTS sessions (
        token TEXT PRIMARY KEY, email TEXT NOT NULL REFERENCES users (email), exp INTEGER NOT NULL
      ) STRICT;`);
  }

  async signUp(email: string, password: string): Promise<string> {
    if (password.length < MIN_PASSWORD) {
      throw new Refusal(400, `a password has at least ${MIN_PASSWORD} characters`);
    }
    const salt = getRandomValues(new Uint8Array(16));
    const hash = await hashOf(password, salt);
    const { changes } = this.#database
      .prepare('INSERT INTO users (email, salt, hash) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
      .run(email, salt, hash);
    if (changes === 0) throw new Refusal(409, 'there is such a user: sign in');
    return this.#open(email);
  }

  /** @returns a session's token; wrong and unknown look the same, and take the same time */
  async signIn(email: string, password: string): Promise<string> {
    const failed = this.#failures.get(email);
    if (failed !== undefined && failed.count >= TRIES && failed.until > this.#now()) {
      throw new Refusal(429, 'too many wrong passwords: try again in a quarter of an hour');
    }
    const row = this.#database.prepare('SELECT salt, hash FROM users WHERE email = ?').get(email) as
      | { salt: Uint8Array; hash: Uint8Array }
      | undefined;
    const hash = await hashOf(password, row?.salt ?? new Uint8Array(16));
    if (row === undefined || !timingSafeEqual(hash, row.hash)) {
      const count = (failed !== undefined && failed.until > this.#now() ? failed.count : 0) + 1;
      this.#failures.set(email, { count, until: this.#now() + PAUSE_SECONDS });
      throw new Refusal(403, 'no user has this address and password');
    }
    this.#failures.delete(email);
    return this.#open(email);
  }

  bySession(token: string | undefined): User {
    const row = this.#database
      .prepare(
        'SELECT u.email, u.link FROM sessions s JOIN users u USING (email) WHERE s.token = ? AND s.exp > ?',
      )
      .get(token ?? '', this.#now()) as { email: string; link: string | null } | undefined;
    if (row === undefined) throw new Refusal(401, 'sign in first');
    return { email: row.email, link: row.link ?? undefined };
  }

  /** The link by which the next device comes before the door. */
  setLink(email: string, link: string): void {
    this.#database.prepare('UPDATE users SET link = ? WHERE email = ?').run(link, email);
  }

  close(): void {
    this.#database.close();
  }

  #open(email: string): string {
    const token = randomBytes(32).toString('base64url');
    this.#database.prepare('DELETE FROM sessions WHERE exp <= ?').run(this.#now());
    this.#database
      .prepare('INSERT INTO sessions (token, email, exp) VALUES (?, ?, ?)')
      .run(token, email, this.#now() + SESSION_SECONDS);
    return token;
  }
}

async function hashOf(password: string, nonce: Uint8Array): Promise<Buffer> {
  const message = new TextEncoder().encode(password.normalize('NFC'));
  return (await derive('argon2id', { message, nonce, ...COST })) as Buffer;
}
