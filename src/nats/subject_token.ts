/**
 * Turns a name into one token of a subject. Different names give different
 * tokens. Characters other than ASCII letters, digits, "-" and "_" are replaced,
 * because ".", "*", ">" and spaces have a meaning in subjects.
 */
export function subjectToken(name: string): string {
  return name.replace(
    /[^A-Za-z0-9_-]/gu,
    (character) => `%${character.codePointAt(0)!.toString(16)}%`,
  );
}
