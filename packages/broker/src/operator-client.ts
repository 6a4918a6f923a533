/**
 * Calls to a running broker's operator socket.
 * @module
 */
import { request } from 'node:http';
import { CountersignError, isErrorCode, parseStrictJson } from '@countersign/core';

/** @throws `broker-unreachable`, and what the broker answers */
export function callOperator(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = request(
    { socketPath, method, path, headers: { 'content-type': 'application/json' } },
    (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(text);
        else reject(refusal(text));
      });
    },
  );
  call.on('error', (cause) =>
    reject(
      new CountersignError('broker-unreachable', `no broker answers at ${socketPath}`, {
        cause,
        hint: 'is it running, with this data folder, and as this user?',
      }),
    ),
  );
  call.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

function refusal(text: string): CountersignError {
  const { code, message } = parseStrictJson(text) as { code: unknown; message: string };
  return new CountersignError(isErrorCode(code) ? code : 'broker-answer-invalid', message);
}
