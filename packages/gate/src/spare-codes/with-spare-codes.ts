/**
 * Lets a code on paper open where the usual way can't be gone: typed at the prompt, where the password goes in a
 * program that shows nothing, or when it is asked for since nobody else can be, or nobody answered.
 * @module
 */
import type { Attempt, Authenticate, Conversation, Decision } from '../pam/door.ts';
import type { CodeUse, SpareCodes } from './spare-codes.ts';

const QUESTIONS = {
  unavailable: '\nCountersign can ask nobody now. A code from your sheet: ',
  unanswered: '\nNobody answered. A code from your sheet, or Enter: ',
};
/** Of a question’s time, this part is left for a code. */
const FOR_A_CODE = 1 / 3;

/**
 * @param used is told of each code that opens, before it does; a break-glass code wants a loud log
 */
export function withSpareCodes(
  authenticate: Authenticate,
  codes: Pick<SpareCodes, 'use' | 'any'>,
  used: (attempt: Attempt, use: CodeUse) => void,
  monotonic: () => number = () => performance.now(),
): Authenticate {
  return async (attempt, conversation) => {
    const { promise: opened, resolve: open, reject: fail } = Promise.withResolvers<Decision>();
    // A failure to look is known before it is waited for.
    opened.catch(() => {});
    let looking: Promise<boolean> = Promise.resolve(false);
    const opens = async (typed: string): Promise<boolean> => {
      const use = await codes.use(attempt.user, typed);
      if (use === undefined || attempt.signal.aborted) return false;
      used(attempt, use);
      return true;
    };
    const listening = (ask: Conversation['prompt']): Conversation['prompt'] => {
      return async (text) => {
        const typed = await ask(text);
        looking = opens(typed);
        looking.then((good) => good && open('granted'), fail);
        return typed;
      };
    };
    if (attempt.style === 'silent' && (await opens(await conversation.secret('Password: '))))
      return 'granted';
    const inner = new AbortController();
    const asksAfter = attempt.style === 'info' && codes.any;
    // A push stands for as long as it may, and would leave no time.
    const { deadline: end } = attempt;
    const deadline = asksAfter && attempt.mode === 'push' ? end - (end - monotonic()) * FOR_A_CODE : end;
    const usual = authenticate(
      { ...attempt, deadline, signal: AbortSignal.any([attempt.signal, inner.signal]) },
      { ...conversation, prompt: listening(conversation.prompt), secret: listening(conversation.secret) },
    );
    try {
      const verdict = await Promise.race([usual, opened]);
      // What was typed may be looked up yet, when the usual way is over.
      if (verdict === 'granted' || (await looking)) return 'granted';
      if (verdict !== 'unavailable' && verdict !== 'unanswered') return verdict;
      // At a prompt there was a place for it already.
      const asks = verdict === 'unanswered' ? asksAfter : attempt.style !== 'silent' && codes.any;
      if (!asks || attempt.signal.aborted) return verdict;
      return (await opens(await conversation.secret(QUESTIONS[verdict]))) ? 'granted' : verdict;
    } finally {
      inner.abort(new DOMException('a code opened instead', 'AbortError'));
      usual.catch(() => {});
    }
  };
}
