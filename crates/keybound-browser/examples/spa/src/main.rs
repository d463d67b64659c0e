//! A page that shows its key, and asks an API with a token that is bound to it.

extern crate alloc;

mod api;

use api::Api;
use keybound_browser::{Error, Storage};
use web_sys::{HtmlInputElement, UrlSearchParams};
use yew::{html::Scope, platform::spawn_local, prelude::*};

/// Where the API is, unless the page's address says `?api=` something else.
const API: &str = "https://api.example/orders";

fn main() {
    yew::Renderer::<Page>::new().render();
}

enum Message {
    Opened(Result<Api, Error>),
    LogIn(String),
    Ask,
    Prove,
    Forget,
    Show(Shown),
}

/// What came of the last click.
enum Shown {
    Nothing,
    Answer(api::Answer),
    Proof(String),
    Forgotten,
    Failure(Error),
}

struct Page {
    /// None until the key is open.
    api: Option<Result<Api, Error>>,
    shown: Shown,
}

impl Component for Page {
    type Message = Message;
    type Properties = ();

    fn create(context: &Context<Self>) -> Self {
        context.link().send_future(async { Message::Opened(Api::open(&api_url()).await) });
        Self { api: None, shown: Shown::Nothing }
    }

    fn update(&mut self, context: &Context<Self>, message: Message) -> bool {
        // Until the next answer there is none.
        self.shown = Shown::Nothing;
        match message {
            Message::Opened(api) => self.api = Some(api),
            Message::Show(shown) => self.shown = shown,
            Message::LogIn(token) => self.with_api(|api| api.log_in(token)),
            Message::Ask => self.with_api(|api| ask(api, context.link().clone())),
            Message::Prove => self.with_api(|api| prove(api, context.link().clone())),
            Message::Forget => self.with_api(|api| forget(api, context.link().clone())),
        }
        true
    }

    fn view(&self, context: &Context<Self>) -> Html {
        match &self.api {
            None => html! { <p>{ "The key is being opened." }</p> },
            Some(Err(error)) => failure(error),
            Some(Ok(api)) => html! {
                <>
                    { about(api) }
                    { form(context.link()) }
                    { outcome(&self.shown) }
                </>
            },
        }
    }
}

impl Page {
    fn with_api(&self, work: impl FnOnce(Api)) {
        if let Some(Ok(api)) = &self.api {
            work(api.clone());
        }
    }
}

fn ask(api: Api, page: Scope<Page>) {
    spawn_local(async move {
        page.send_message(Message::Show(api.ask().await.map_or_else(Shown::Failure, Shown::Answer)));
    });
}

fn prove(api: Api, page: Scope<Page>) {
    spawn_local(async move {
        page.send_message(Message::Show(api.proof().await.map_or_else(Shown::Failure, Shown::Proof)));
    });
}

fn forget(api: Api, page: Scope<Page>) {
    spawn_local(async move {
        page.send_message(Message::Show(api.forget().await.map_or_else(Shown::Failure, |()| Shown::Forgotten)));
    });
}

fn about(api: &Api) -> Html {
    let kept = match api.key().storage() {
        Storage::Persistent => "in this browser",
        Storage::Memory => "until this page is closed: the browser stores nothing here",
    };
    html! {
        <dl>
            <dt>{ "Key" }</dt><dd id="thumbprint">{ api.key().thumbprint() }</dd>
            <dt>{ "Kept" }</dt><dd id="storage">{ kept }</dd>
            <dt>{ "API" }</dt><dd id="api">{ api.url() }</dd>
        </dl>
    }
}

fn form(page: &Scope<Page>) -> Html {
    let token = page.callback(|event: InputEvent| {
        Message::LogIn(event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default())
    });
    html! {
        <p>
            <label>{ "Access token " }<input id="token" autocomplete="off" oninput={token} /></label>
            <button id="ask" onclick={page.callback(|_| Message::Ask)}>{ "Ask the API" }</button>
            <button id="prove" onclick={page.callback(|_| Message::Prove)}>{ "Make a proof" }</button>
            <button id="forget" onclick={page.callback(|_| Message::Forget)}>{ "Delete the key" }</button>
        </p>
    }
}

fn outcome(shown: &Shown) -> Html {
    match shown {
        Shown::Nothing => Html::default(),
        Shown::Answer(answer) => {
            html! { <><p id="status">{ answer.status }</p><pre id="answer">{ &answer.text }</pre></> }
        }
        Shown::Forgotten => html! { <p id="forgotten">{ "The key is gone, in all tabs. Reload for a new one." }</p> },
        Shown::Proof(proof) => html! { <pre id="proof">{ proof }</pre> },
        Shown::Failure(error) => failure(error),
    }
}

/// A stable code for programs, and words for people.
fn failure(error: &Error) -> Html {
    html! { <p role="alert" data-code={error.code()}>{ error.to_string() }</p> }
}

fn api_url() -> String {
    let query = web_sys::window().and_then(|window| window.location().search().ok()).unwrap_or_default();
    let asked = UrlSearchParams::new_with_str(&query).ok().and_then(|query| query.get("api"));
    asked.unwrap_or_else(|| API.to_owned())
}
