import { describe, expect, it } from 'vitest';
import { uriPatternProblem } from './uris.js';

describe('uriPatternProblem', () => {
  it.each([
    ...'* read_* files:read Files:read *://host/a http*://host/a A:/b urn:* *FILE:///a'.split(' '),
    ...'file:///work/* file:///work/a file:///* file://* file:///work/*.txt file:///work/** file:///é/*'.split(' '),
    ...'https://example.com/* https://*.example.com/* https://example.com* https://example.com:*/ http://*'.split(' '),
    ...'notes://* notes://h/\\* file:///a%20b/* db://h/t?a=*'.split(' '),
  ])('has nothing against %j', (pattern) => {
    expect(uriPatternProblem(pattern)).toBeUndefined();
  });

  it.each([
    ['FILE:///work/*', 'write it as in file:///work/x'],
    ['file:/work/a', 'write it as in file:///work/a'],
    ['file://localhost/work/*', 'write it as in file:///work/x'],
    ['file:///work/', 'write it as in file:///work'],
    ['file:///work/%61/*', 'write it as in file:///work/a/x'],
    ['file:///work/%C3%A9', 'write it as in file:///work/é'],
    ['https://example.com', 'write it as in https://example.com/'],
    ['https://EXAMPLE.com/*', 'a web address with more than one spelling'],
    ['file:///work/../etc/*', '".." after a name'],
    ['file:///my file/*', 'white space'],
    ['notes://h/a\\b', 'a backslash'],
    ['notes://h/%2*', 'a percent sign'],
    ['notes://h/a\\\\b', 'a backslash'],
    ['A+b:/x', 'write it as in a+b:/x'],
    ['A.b:/x', 'write it as in a.b:/x'],
    ['A-b:/x', 'write it as in a-b:/x'],
    ['A5:/x', 'write it as in a5:/x'],
  ])('%j is met by no URI: %s', (pattern, problem) => {
    expect(uriPatternProblem(pattern)).toContain(problem);
  });
});
