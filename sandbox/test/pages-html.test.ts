import { describe, expect, test } from 'vitest'
import { html, safeUrl } from '../src/pages/html.ts'

describe('templates', () => {
  test('interpolated text can neither open a tag nor leave an attribute', () => {
    const evil = `"><script>alert('1')</script>&`
    expect(html`<p title="${evil}">${evil}</p>`.markup).toBe(
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;">&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</p>',
    )
  })

  test('templates nest, lists join, and nothing is printed for what is absent', () => {
    const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`)
    expect(html`<ul>${items}</ul>${null}${undefined}${false}${0}${5n}`.markup).toBe(
      '<ul><li>a</li><li>&lt;b&gt;</li></ul>05',
    )
  })

  test('an attribute without quotes is refused', () => {
    expect(() => html`<p title=${'x'}></p>`).toThrow('Quote the attribute')
  })

  test.each([
    ['javascript:alert(1)', '#'],
    [' JavaScript:alert(1)', '#'],
    ['java\nscript:alert(1)', '#'],
    ['data:text/html,x', '#'],
    ['https://example.com/a?b=c', 'https://example.com/a?b=c'],
    ['myapp://done', 'myapp://done'],
  ])('a link to %j becomes %j', (url, expected) => {
    expect(safeUrl(url)).toBe(expected)
  })
})
