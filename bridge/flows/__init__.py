"""The flows: one module each, top to bottom: fetch, translate, apply, bind."""
