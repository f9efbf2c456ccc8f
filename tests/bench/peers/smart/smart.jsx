// Smart Forms' renderer in the smallest application that shows a form, as its documentation puts it together.
import { BaseRenderer, RendererThemeProvider, useBuildForm, useRendererQueryClient } from "@aehrc/smart-forms-renderer"
import { QueryClientProvider } from "@tanstack/react-query"
import { createRoot } from "react-dom/client"

function Form({ questionnaire }) {
  const building = useBuildForm({ questionnaire })
  const client = useRendererQueryClient()
  return (
    <RendererThemeProvider>
      <QueryClientProvider client={client}>{building ? null : <BaseRenderer />}</QueryClientProvider>
    </RendererThemeProvider>
  )
}

const questionnaire = await (await fetch("/form.json")).json()
createRoot(document.getElementById("form")).render(<Form questionnaire={questionnaire} />)
