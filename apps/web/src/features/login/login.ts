import './login.css';

/**
 * Improves the static sign-in page; the form posts by itself when this never runs. Errors appear beside the field
 * they belong to and the focus goes there.
 */
function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page lacks #${id}`);
  return found;
}

/** The page to open after signing in: a path of our own and nothing else. */
function ownPath(text: string | null): string {
  if (text === null || !/^\/(?![/\\])/.test(text)) return '/';
  try {
    const url = new URL(text, location.origin);
    return url.origin === location.origin ? url.pathname + url.search + url.hash : '/';
  } catch {
    return '/';
  }
}

const parameters = new URLSearchParams(location.search);
const form = element('login-form', HTMLFormElement);
const login = element('login', HTMLInputElement);
const password = element('password', HTMLInputElement);
const submit = element('submit', HTMLButtonElement);
const reveal = element('reveal', HTMLButtonElement);
const formError = element('form-error', HTMLParagraphElement);
const next = ownPath(parameters.get('next'));
form.querySelector<HTMLInputElement>('input[name=next]')!.value = next;

try {
  const theme = localStorage.getItem('nowcast.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset['theme'] = theme;
} catch {
  // Storage may be blocked; the system's theme is used then.
}

function showFieldError(input: HTMLInputElement, text: string): void {
  const line = element(`${input.id}-error`, HTMLParagraphElement);
  line.textContent = text;
  line.hidden = text === '';
  if (text === '') {
    input.removeAttribute('aria-invalid');
    input.removeAttribute('aria-describedby');
  } else {
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', line.id);
  }
}

function showFormError(text: string): void {
  formError.textContent = text;
  formError.hidden = text === '';
}

function clearErrors(): void {
  showFormError('');
  showFieldError(login, '');
  showFieldError(password, '');
}

function complainAboutEmpty(): boolean {
  if (login.value.trim() === '') showFieldError(login, 'Enter your e-mail address or username');
  if (password.value === '') showFieldError(password, 'Enter your password');
  const first = [login, password].find((input) => input.hasAttribute('aria-invalid'));
  first?.focus();
  return first !== undefined;
}

async function signIn(): Promise<void> {
  const answer = await fetch('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ login: login.value.trim(), password: password.value }),
  });
  if (answer.ok) {
    location.replace(next);
    return;
  }
  const body = (await answer.json().catch(() => null)) as {
    error?: { message?: string; code?: string };
  } | null;
  const message = body?.error?.message ?? `The server answered ${answer.status}`;
  if (answer.status === 401) {
    showFieldError(password, message);
    password.select();
    password.focus();
  } else showFormError(message);
}

form.noValidate = true;
form.addEventListener('submit', (event) => {
  event.preventDefault();
  clearErrors();
  if (complainAboutEmpty()) return;
  submit.disabled = true;
  submit.textContent = 'Signing in…';
  signIn()
    .catch(() => showFormError('The server cannot be reached. Check the connection and try again.'))
    .finally(() => {
      submit.disabled = false;
      submit.textContent = 'Sign in';
    });
});

reveal.hidden = false;
reveal.addEventListener('click', () => {
  const shown = password.type === 'password';
  password.type = shown ? 'text' : 'password';
  reveal.setAttribute('aria-pressed', String(shown));
  reveal.textContent = shown ? 'Hide' : 'Show';
});

// The server has already written its reason into the page, where it stands without this script too.
if (parameters.has('error')) password.focus();
else login.focus();
