//! The API, and how it is asked: everything here that is keybound's.

use alloc::rc::Rc;
use core::cell::RefCell;

use js_sys::futures::JsFuture;
use keybound_browser::{BoundToken, Client, DpopKey, Error, Proof, TokenSource};
use web_sys::Request;

/// An API, and the key that signs for it. Cloning copies handles.
#[derive(Clone)]
pub(crate) struct Api {
    url: Rc<str>,
    key: DpopKey,
    token: LatestToken,
    /// One for as long as the page lives: it knows the server's newest nonce, and its clock.
    client: Client<LatestToken>,
}

/// The token that was given last; an application with a login asks its session here.
#[derive(Clone, Default)]
struct LatestToken(Rc<RefCell<Option<BoundToken>>>);

impl TokenSource for LatestToken {
    async fn token(&self, _stale: bool) -> Option<BoundToken> {
        self.0.borrow().clone()
    }
}

/// What the server said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Api {
    /// Opens the key, which is made with the first visit, and allows its tokens to go to this API only.
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        let key = DpopKey::open("default").await?;
        let token = LatestToken::default();
        let client = Client::resource_server(key.clone(), [url], token.clone())?;
        Ok(Self { url: url.into(), key, token, client })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn key(&self) -> &DpopKey {
        &self.key
    }

    /// From now on requests carry this token.
    pub(crate) fn log_in(&self, access_token: String) {
        self.token.0.replace(Some(BoundToken::new(access_token)));
    }

    /// `GET` with the token and a proof, and once more with a nonce if the server wants one.
    pub(crate) async fn ask(&self) -> Result<Answer, Error> {
        let request = Request::new_with_str(&self.url).map_err(Error::Fetch)?;
        let response = self.client.send(&request).await?;
        let text = JsFuture::from(response.text().map_err(Error::Fetch)?).await.map_err(Error::Fetch)?;
        Ok(Answer { status: response.status(), text: text.as_string().unwrap_or_default() })
    }

    /// Deletes the key, in all tabs: a token that is bound to it is of no use any more, wherever it is.
    pub(crate) async fn forget(&self) -> Result<(), Error> {
        self.key.delete().await
    }

    /// What `ask` sends beside the token, to look at.
    pub(crate) async fn proof(&self) -> Result<String, Error> {
        let token = self.token.token(false).await;
        let access_token = token.as_ref().map(|token| token.access_token.as_str());
        self.key.proof(Proof { access_token, ..Proof::new("GET", &self.url) }).await
    }
}
