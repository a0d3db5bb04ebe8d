"""How many different colours a picture has: an empty page has next to none."""

from __future__ import annotations

import base64

from playwright.async_api import Browser

from previewbot.rules.pictures import LEAST_COLOURS

# Drawn in a page without anything of the preview's: its own could say what it likes of its colours.
_COUNT = """async ([data, most]) => {
  const image = new Image()
  image.src = 'data:image/png;base64,' + data
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = image.width
  canvas.height = image.height
  const drawn = canvas.getContext('2d')
  drawn.drawImage(image, 0, 0)
  const colours = new Set()
  for (const one of new Uint32Array(drawn.getImageData(0, 0, image.width, image.height).data.buffer)) {
    colours.add(one)
    if (colours.size >= most) break
  }
  return colours.size
}"""


async def colours(browser: Browser, content: bytes) -> int:
    """Return how many colours a picture has, LEAST_COLOURS at most; raises what the browser does."""
    context = await browser.new_context(offline=True)
    page = await context.new_page()
    found: int = await page.evaluate(_COUNT, [base64.b64encode(content).decode(), LEAST_COLOURS])
    return found
