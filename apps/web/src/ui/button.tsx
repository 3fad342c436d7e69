import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';

export interface ButtonProps extends Omit<
  ButtonHTMLAttributes<HTMLButtonElement>,
  'className' | 'disabled' | 'onClick'
> {
  variant?: 'primary' | 'plain' | 'ghost' | 'danger';
  size?: 'normal' | 'small';
  /** Square, for an icon alone; needs an `aria-label`. */
  icon?: boolean;
  className?: string;
  isDisabled?: boolean;
  onPress?: () => void;
  ref?: Ref<HTMLButtonElement>;
  children: ReactNode;
}

/** The platform's own button: react-aria's would be most of what a board's first paint downloads. */
export function Button({
  variant = 'plain',
  size = 'normal',
  icon = false,
  className = '',
  isDisabled = false,
  onPress,
  type = 'button',
  children,
  ...rest
}: ButtonProps) {
  const look = `btn btn-${variant}${size === 'small' ? ' btn-small' : ''}${icon ? ' btn-icon' : ''} ${className}`;
  return (
    <button {...rest} type={type} disabled={isDisabled} className={look} onClick={() => onPress?.()}>
      {children}
    </button>
  );
}
