/**
 * The page on which a security key is used in a registration: reads what is to be done, lets the browser do it, and
 * sends what came of it.
 * @module
 */
const id = location.pathname.split('/').at(-1);
const place = `/v1/registrations/${id}/security-key`;
const element = (name) => document.getElementById(name);

function fail(text) {
  element('failure').textContent = text;
  element('failure').hidden = false;
}

async function call(init) {
  const answer = await fetch(place, init);
  const read = await answer.json();
  if (!answer.ok) throw new Error(read.message);
  return read;
}

async function use({ use: what, options }) {
  const button = element('use');
  button.disabled = true;
  element('failure').hidden = true;
  element('said').textContent = 'Touch your security key.';
  try {
    const credential =
      what === 'create'
        ? await navigator.credentials.create({
            publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
          })
        : await navigator.credentials.get({
            publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
          });
    const body = JSON.stringify({ response: credential.toJSON() });
    await call({ method: 'POST', headers: { 'content-type': 'application/json' }, body });
    button.hidden = true;
    element('said').textContent = 'Done. Go on where you began to register; this page can be closed.';
  } catch (error) {
    button.disabled = false;
    element('said').textContent = '';
    fail(
      error.name === 'NotAllowedError'
        ? 'The browser got no answer of a security key. Try again.'
        : `It did not work: ${error.message}`,
    );
  }
}

try {
  const task = await call();
  element('what').textContent =
    task.use === 'create'
      ? `Make a security key known to ${task.provider}, which will sign for ${task.account}. It is asked for again if you ever register anew.`
      : `Show ${task.provider} the security key that it knows, to register ${task.account} anew.`;
  element('use').hidden = false;
  element('use').addEventListener('click', () => use(task));
} catch (error) {
  element('what').textContent = 'Nothing is to be done here.';
  fail(error.message);
}
