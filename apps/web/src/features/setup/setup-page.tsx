import { useMutation } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { LoginAnswer } from '@nowcast/contract';
import { api, ApiError, messageOf } from '../../api/http.ts';
import { Button } from '../../ui/button.tsx';
import { TextInput } from '../../ui/field.tsx';
import { Logo } from '../../ui/logo.tsx';

const fields = [
  {
    name: 'organisation',
    label: 'Organisation',
    rest: { autoComplete: 'organization', maxLength: 120, autoFocus: true },
  },
  { name: 'name', label: 'Your name', rest: { autoComplete: 'name', maxLength: 120 } },
  { name: 'email', label: 'E-mail', rest: { type: 'email', autoComplete: 'email', maxLength: 254 } },
  {
    name: 'username',
    label: 'Username',
    rest: { autoComplete: 'username', autoCapitalize: 'none', spellCheck: false, maxLength: 64 },
  },
  {
    name: 'password',
    label: 'Password',
    rest: { type: 'password', autoComplete: 'new-password', hint: 'At least 10 characters', maxLength: 256 },
  },
] as const;
type Name = (typeof fields)[number]['name'];
type Form = Record<Name, string>;

/** What is wrong with the form, before the server is asked. */
export function checkSetup(form: Form): Partial<Form> {
  const errors: Partial<Form> = {};
  for (const { name, label } of fields) if (form[name].trim() === '') errors[name] = `${label} is missing`;
  if (form.email !== '' && !/^[^\s@<>"]+@[^\s@<>"]+$/.test(form.email)) {
    errors.email = 'Write an address like name@example.com';
  }
  if (form.username !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9._-]+$/.test(form.username)) {
    errors.username = 'Two characters or more: letters, digits, dot, dash, underscore';
  }
  if (form.password !== '' && form.password.length < 10) errors.password = 'Use at least 10 characters';
  return errors;
}

/** `/setup?token=`: the first owner; ends on the board of this host. */
export function SetupPage() {
  const { token = '' } = useSearch({ from: '/setup' });
  const [form, setForm] = useState<Form>({
    organisation: '',
    name: '',
    email: '',
    username: '',
    password: '',
  });
  const [errors, setErrors] = useState<Partial<Form>>({});
  const create = useMutation({
    mutationFn: () => api<LoginAnswer & { board_id?: string }>('POST', '/api/v1/setup', { token, ...form }),
    onSuccess: (answer) =>
      location.assign(answer.board_id === undefined ? '/' : `/boards/${answer.board_id}`),
  });
  const submit = (): void => {
    const found = checkSetup(form);
    setErrors(found);
    const first = fields.find(({ name }) => found[name] !== undefined);
    if (first === undefined) create.mutate();
    else document.querySelector<HTMLInputElement>(`[name=${first.name}]`)?.focus();
  };
  const used = create.error instanceof ApiError && create.error.status === 404;
  const problem = used
    ? 'This link was already used or is not the newest one. Sign in instead.'
    : messageOf(create.error);
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-sm flex-col justify-center px-4 py-8">
      <div className="mb-6 flex flex-col items-center text-center">
        <Logo size={44} />
        <h1 className="mt-4 text-xl font-semibold">Welcome to Nowcast</h1>
        <p className="mt-1 text-muted">A minute from now you watch this machine, live.</p>
      </div>
      <form
        noValidate
        className="card flex flex-col gap-4 p-6"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {token === '' && (
          <p role="alert" className="rounded-md border border-warn/50 px-3 py-2 text-sm text-warn">
            This address lacks its token. Open the whole link that the server printed when it started.
          </p>
        )}
        {create.isError && (
          <p role="alert" className="rounded-md border border-crit/50 px-3 py-2 text-sm text-crit">
            {problem}
            {used && (
              <a className="link ms-1" href="/login">
                Sign in
              </a>
            )}
          </p>
        )}
        {fields.map(({ name, label, rest }) => (
          <TextInput
            key={name}
            {...rest}
            name={name}
            label={label}
            value={form[name]}
            error={errors[name]}
            onValue={(value) => {
              setForm({ ...form, [name]: value });
              setErrors({ ...errors, [name]: undefined });
            }}
          />
        ))}
        <Button
          variant="primary"
          type="submit"
          className="mt-2 h-11"
          isDisabled={token === '' || create.isPending || create.isSuccess}
        >
          {create.isPending ? 'Setting up…' : 'Start'}
        </Button>
      </form>
    </main>
  );
}
